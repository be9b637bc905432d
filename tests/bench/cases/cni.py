# SPDX-License-Identifier: GPL-2.0-or-later
"""cni-add and cni-del: the time of one operation, alone and 8 at once."""
import json
import time

from .measure import Samples
from .scene import Failed, Scene, quiet_machine

FLOOR = "netlink"  # one process that sends the netlink requests
COUNT = 10
# The kernel takes dead namespaces apart in the background, for some tenths of
# a second, under locks that the next ADD needs; there is no event to wait for.
SETTLE_S = 0.5


def cnirun(scene, arguments, parallel):
    count = COUNT if parallel == 1 else 4 * COUNT
    text = scene.run("node", [scene.options.kit + "/cnirun"] + arguments + [
        "--count", str(count), "--parallel", str(parallel), "--json"])
    return {r["op"]: r for r in map(json.loads, text.splitlines())}


def floor_plugin(options):
    scene = Scene(options)
    scene.call("scene_up; up")
    path = scene.state + "/floor.conflist"
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"cniVersion": "1.0.0", "name": "floor", "plugins": [{"type": "floor"}]}, out)
    return scene, ["--conflist", path, "--path", options.kit + "/cni"]


def duel(samples, name, floor, target, options, operation):
    for parallel in (1, 8):
        variant = "parallel=%d" % parallel
        for _ in range(options.reps):
            with quiet_machine():
                time.sleep(SETTLE_S)
                base = cnirun(*floor, parallel)[operation]
                time.sleep(SETTLE_S)
                got = cnirun(*target, parallel)[operation]
            samples.add((name, "time", variant), "ms", base["p50_ms"], got["p50_ms"])
            samples.add((name, "p99", variant), "ms", base["p99_ms"], got["p99_ms"])


def run(options, item, targets):
    samples, floor = Samples(FLOOR), floor_plugin(options)
    scenes = [floor[0]]
    try:
        for target, version in targets:
            samples.versions[target] = version
            scene = Scene(options, target)
            scenes.append(scene)
            try:
                scene.call("scene_up; up")
                arguments = scene.call("cni_args").split("|")
                duel(samples, target, floor, (scene, arguments), options,
                     "ADD" if item == "cni-add" else "DEL")
            except Failed as error:
                samples.fail(target, error)
    finally:
        for scene in scenes:
            scene.close()
    return FLOOR, samples.rows()
