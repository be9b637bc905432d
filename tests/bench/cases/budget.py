# SPDX-License-Identifier: GPL-2.0-or-later
"""budget: what each program costs a packet, by test run, to what it may cost.

The floor is the budget (tests/bench/budget/budget.c): a ratio over 1 is over it.
`instructions` are those of the program as loaded, to those that the verifier
walked; what stands behind tail calls is not in them."""
import json
import subprocess

from .measure import Samples
from .scene import Failed, quiet_machine

FLOOR = "budget"


def run(options, item, targets):
    samples = Samples(FLOOR)
    for target, version in targets:
        samples.versions[target] = version
        for _ in range(options.reps):
            with quiet_machine():
                done = subprocess.run([options.kit + "/budget"], text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            if done.returncode:
                raise Failed(done.stderr.strip().splitlines()[-1] if done.stderr
                             else "budget exits with %d" % done.returncode)
            for line in done.stdout.splitlines():
                if not line.startswith("{"):
                    continue
                row = json.loads(line)
                variant = "%s: %s" % (row["program"], row["case"])
                samples.add((target, "time", variant), "ns", row["budget_ns"], row["ns"])
                samples.add((target, "instructions", variant), "", row["verified"],
                            row["instructions"])
    return FLOOR, samples.rows()
