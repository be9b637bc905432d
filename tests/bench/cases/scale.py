# SPDX-License-Identifier: GPL-2.0-or-later
"""endpoint-scale: what an ADD and a DEL cost when many endpoints are there.

The floor is the target itself when it is empty: a ratio is the median of the
ADDs that end at a number of endpoints to that of the first ones."""
import json
import statistics

from .measure import Samples
from .scene import Failed, Scene, quiet_machine

FLOOR = "the first"
WINDOW = 50  # operations behind one median
STEPS = (500, 1000, 2000, 4000)


def round_of(options, target, samples):
    """One network filled to the last step and emptied again."""
    scene = Scene(options, target)
    try:
        scene.call("scene_up; up")
        arguments = scene.call("cni_args").split("|")
        count = max(s for s in STEPS if s <= options.count)
        with quiet_machine():
            text = scene.run("node", [options.kit + "/cnirun"] + arguments + [
                "--count", str(count), "--json", "--each"])
        for line in map(json.loads, text.splitlines()):
            for metric, each in (("time", line["each_ms"]), ("cpu", line["each_cpu_ms"])):
                first = statistics.median(each[:WINDOW])
                for step in (s for s in STEPS if s <= count):
                    last = statistics.median(each[step - WINDOW:step])
                    samples.add((target, metric, "%s=%d" % (line["op"].lower(), step)), "ms",
                                first, last)
    finally:
        scene.close()


def run(options, item, targets):
    samples = Samples(FLOOR)
    for target, version in targets:
        samples.versions[target] = version
        for _ in range(options.reps):
            try:
                round_of(options, target, samples)
            except Failed as error:
                samples.fail(target, error)
                break
    return FLOOR, samples.rows()
