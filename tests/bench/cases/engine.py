# SPDX-License-Identifier: GPL-2.0-or-later
"""run and load: one command of an engine, with its CPU time."""
import os
import resource
import subprocess
import tempfile
import time

from . import image
from .measure import Samples
from .scene import Failed, Scene, quiet_machine


def timed(argv, env=None):
    """Wall and CPU milliseconds of a command and what it started."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    run = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, text=True,
                         capture_output=True, check=False)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if run.returncode:
        raise Failed("%s: status %d: %s" % (" ".join(argv[-6:]), run.returncode,
                                            run.stderr.strip()[-400:]))
    cpu = sum(getattr(after, f) - getattr(before, f) for f in ("ru_utime", "ru_stime"))
    return wall * 1e3, cpu * 1e3


def once(scene, function):
    """A function of the target prints one command, blank-separated."""
    return timed(["nsenter", "--net=/run/netns/" + scene.ns("node"), "--"]
                 + scene.call(function).split())


def engine_scene(options, target, archive):
    scene = Scene(options, target)
    try:
        scene.call("scene_up; engine_up; engine_prepare " + archive)
    except Failed:
        scene.close()
        raise
    return scene


def measure_run(samples, scenes, options, folder):
    floor = [options.kit + "/runfloor", image.unpacked(folder), "/bin/true"]
    for _ in range(options.reps):
        for target, scene in scenes.items():
            try:
                with quiet_machine():
                    base, got = timed(floor), once(scene, "engine_run")
            except Failed as error:
                samples.fail(target, error)
                continue
            samples.add((target, "time", ""), "ms", base[0], got[0])
            samples.add((target, "cpu", ""), "ms", base[1], got[1])


def floor_load(archive):
    with tempfile.TemporaryDirectory(prefix="nb-load-") as folder:
        return timed(["sh", "-c", 'cd "$1" && tar -xf "$0" && for l in */layer.tar; do '
                      'mkdir -p root && tar -xf "$l" -C root; done', archive, folder])


def measure_load(samples, scenes, options, archive):
    for _ in range(options.reps):
        for target, scene in scenes.items():
            try:
                with quiet_machine():
                    base = floor_load(archive)
                    got = once(scene, "engine_load " + archive)
                scene.call("engine_forget")
            except Failed as error:
                samples.fail(target, error)
                continue
            samples.add((target, "time", ""), "ms", base[0], got[0])
            samples.add((target, "cpu", ""), "ms", base[1], got[1])


def run(options, item, targets):
    floor_name = "runfloor" if item == "run" else "tar"
    samples, scenes = Samples(floor_name), {}
    with tempfile.TemporaryDirectory(prefix="nb-image-") as folder:
        archive = os.path.join(folder, "image.tar")
        image.build(archive, image.SMALL if item == "run" else image.LARGE)
        try:
            for target, version in targets:
                samples.versions[target] = version
                try:
                    scenes[target] = engine_scene(options, target, archive)
                    if item == "run":  # the first makes the network
                        once(scenes[target], "engine_run")
                except Failed as error:
                    samples.fail(target, error)
                    if target in scenes:
                        scenes.pop(target).close()
            if item == "run":
                measure_run(samples, scenes, options, folder)
            else:
                measure_load(samples, scenes, options, archive)
        finally:
            for scene in scenes.values():
                scene.close()
    return floor_name, samples.rows()
