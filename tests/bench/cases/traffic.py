# SPDX-License-Identifier: GPL-2.0-or-later
"""Items of traffic: rates over a path, with a bare veth pair as the floor."""
from collections import namedtuple

from .measure import Samples, interleave
from .scene import FILL_FROM, PUBLISHED, SERVICE, Failed, Path, Scene

MODES = ["tcp_rr", "tcp_crr", "udp_rr", "tcp_stream", "udp_pps"]
FLOOR = "veth"
# One case of an item. needs: what a peer must say in its VARIANTS to take part.
Case = namedtuple("Case", "variant needs ports modes")
V4 = Case("v4", "v4", 1, MODES)
V6 = Case("v6", "v6", 1, MODES)
BIG = [Case("v4 big-tcp", "big-tcp", 1, ["tcp_stream"]),
       Case("v6 big-tcp", "big-tcp", 1, ["tcp_stream"])]
RESPECT = Case("v4 respect", "respect", 1, ["tcp_rr", "tcp_crr", "udp_rr"])


def is_v6(case):
    return case.variant.startswith("v6")


class Floors:
    """One floor for each family, made when a case asks for it."""

    def __init__(self, options, scenes):
        self.options, self.scenes, self.made = options, scenes, {}

    def path(self, case):
        family = "v6" if is_v6(case) else "v4"
        if family not in self.made:
            scene = Scene(self.options, variant=family)
            self.scenes.append(scene)
            scene.call("floor_up")
            scene.serve("fb")
            self.made[family] = Path(scene, "fa", "fd77::2" if is_v6(case) else "10.77.0.2",
                                     SERVICE)
        return self.made[family]


def containers(scene, names):
    scene.call("scene_up; up; " + "; ".join(
        "make_ns %s; attach %s %s" % (n, n, n[1:]) for n in names))


def path_c2c(scene, _):
    containers(scene, ["c1", "c2"])
    scene.serve("c1")
    return Path(scene, "c2", scene.call("address c1"), SERVICE)


def publish(scene, case):
    """The measured port comes last, after those that fill the tables."""
    containers(scene, ["c2"])
    if case.ports > 1:
        scene.call("publish_fill %d %d c2 %d" % (FILL_FROM, case.ports - 1, SERVICE))
    scene.call("make_ns c1; attach_published c1 1 {0}:{1}/tcp {0}:{1}/udp".format(
        PUBLISHED, SERVICE))
    scene.serve("c1")


def path_publish(scene, case):
    publish(scene, case)
    address, port = scene.call("publish_target %d c1 %d" % (PUBLISHED, SERVICE)).split()
    return Path(scene, "cli", address, int(port))


def path_publish_local(scene, case):
    publish(scene, case)
    return Path(scene, "node", "::1" if is_v6(case) else "127.0.0.1", PUBLISHED)


def path_masquerade(scene, case):
    containers(scene, ["c1"])
    scene.serve("cli")
    return Path(scene, "c1", "fd99::2" if is_v6(case) else "10.99.0.2", SERVICE)


# item: how a path is made, and its cases
ITEMS = {
    "c2c": (path_c2c, [V4, V6, *BIG]),
    "publish": (path_publish, [V4, V6, RESPECT]),
    "publish-local": (path_publish_local, [V4, V6]),
    "publish-scale": (path_publish, [Case("ports=%d" % n, "v4", n, ["tcp_rr", "tcp_crr"])
                                     for n in (1, 100, 1000, 10000)]),
    "masquerade": (path_masquerade, [V4, V6]),
}


def make_runs(options, item, targets, samples, scenes):
    build, cases = ITEMS[item]
    floors, runs = Floors(options, scenes), {}
    for target, version in targets:
        samples.versions[target] = version
        for case in cases:
            scene = Scene(options, target, case.variant)
            scenes.append(scene)
            try:
                if case.needs in scene.call("echo $VARIANTS").split():
                    runs[(target, case.variant)] = (floors.path(case), build(scene, case),
                                                    case.modes)
            except (Failed, ValueError) as error:
                samples.fail(target, error)
    return runs


def run(options, item, targets):
    samples, scenes = Samples(FLOOR), []
    try:
        interleave(samples, make_runs(options, item, targets, samples, scenes), options)
    finally:
        for scene in scenes:
            scene.close()
    return FLOOR, samples.rows()
