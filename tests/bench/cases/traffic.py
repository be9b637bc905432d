# SPDX-License-Identifier: GPL-2.0-or-later
"""Items of traffic: rates over a path, with a bare veth pair as the floor."""
from .measure import Samples, interleave
from .scene import FILL_FROM, PUBLISHED, SERVICE, Failed, Path, Scene

MODES = ["tcp_rr", "tcp_crr", "udp_rr", "tcp_stream", "udp_pps"]
FLOOR = "veth"


def path_floor(options):
    scene = Scene(options)
    scene.call("floor_up")
    scene.serve("fb")
    return Path(scene, "fa", "10.77.0.2", SERVICE)


def containers(scene, names):
    scene.call("scene_up; up; " + "; ".join(
        "make_ns %s; attach %s %s" % (n, n, n[1:]) for n in names))


def path_c2c(scene, _):
    containers(scene, ["c1", "c2"])
    scene.serve("c1")
    return Path(scene, "c2", scene.call("address c1"), SERVICE)


def publish(scene, fill):
    """The measured port comes last, after those that fill the tables."""
    containers(scene, ["c2"])
    if fill > 1:
        scene.call("publish_fill %d %d c2 %d" % (FILL_FROM, fill - 1, SERVICE))
    scene.call("make_ns c1; attach_published c1 1 {0}:{1}/tcp {0}:{1}/udp".format(
        PUBLISHED, SERVICE))
    scene.serve("c1")


def path_publish(scene, fill):
    publish(scene, fill)
    address, port = scene.call("publish_target %d c1 %d" % (PUBLISHED, SERVICE)).split()
    return Path(scene, "cli", address, int(port))


def path_publish_local(scene, _):
    publish(scene, 1)
    return Path(scene, "node", "127.0.0.1", PUBLISHED)


def path_masquerade(scene, _):
    containers(scene, ["c1"])
    scene.serve("cli")
    return Path(scene, "c1", "10.99.0.2", SERVICE)


# item: how a path is made, its variants (ports published, text), its loads
ITEMS = {
    "c2c": (path_c2c, [(1, "v4")], MODES),
    "publish": (path_publish, [(1, "v4")], MODES),
    "publish-local": (path_publish_local, [(1, "v4")], MODES),
    "publish-scale": (path_publish, [(n, "ports=%d" % n) for n in (1, 100, 1000, 10000)],
                      ["tcp_rr", "tcp_crr"]),
    "masquerade": (path_masquerade, [(1, "v4")], MODES),
}


def run(options, item, targets):
    build, variants, modes = ITEMS[item]
    samples, paths = Samples(FLOOR), {}
    floor = path_floor(options)
    scenes = [floor.scene]
    try:
        for target, version in targets:
            samples.versions[target] = version
            for ports, variant in variants:
                scene = Scene(options, target)
                scenes.append(scene)
                try:
                    paths[(target, variant)] = build(scene, ports)
                except (Failed, ValueError) as error:
                    samples.fail(target, error)
        interleave(samples, floor, paths, modes, options)
    finally:
        for scene in scenes:
            scene.close()
    return FLOOR, samples.rows()
