# SPDX-License-Identifier: GPL-2.0-or-later
"""publish-change: what publishing many ports adds to an ADD, and taking them away
to a DEL.

The floor is the same endpoint without a port: a value is the difference to it,
a ratio the difference by the whole. The link's own deletion is left out."""
import json
import statistics

from .measure import Samples
from .scene import Failed, Scene, quiet_machine

FLOOR = "without a port"
TURNS = 10
METRICS = (("publish", "add_ms"), ("publish cpu", "add_cpu_ms"),
           ("remove", "del_ms"), ("remove cpu", "del_cpu_ms"))
VARIANTS = (("1", 1, 1), ("1000", 1000, 1000), ("1000 as a range", 1000, 1),
            ("65535 as a range", 65535, 1))


def medians(scene, ports, ranges):
    text = scene.run("node", [scene.options.kit + "/publishing", scene.state + "/root",
                              str(TURNS), str(ports), str(ranges)])
    return {name: statistics.median(each) for name, each in json.loads(text).items()}


def run(options, item, targets):
    samples = Samples(FLOOR)
    for target, version in targets:
        samples.versions[target] = version
        scene = Scene(options, target)
        try:
            scene.call("scene_up; up")
            for _ in range(options.reps):
                for name, ports, ranges in VARIANTS:
                    with quiet_machine():
                        base = medians(scene, 0, 0)
                        got = medians(scene, ports, ranges)
                    for metric, key in METRICS:
                        samples.add((target, metric, "ports=" + name), "ms", base[key],
                                    max(got[key] - base[key], 0.001))
        except Failed as error:
            samples.fail(target, error)
        finally:
            scene.close()
    return FLOOR, samples.rows()
