# SPDX-License-Identifier: GPL-2.0-or-later
"""dns: queries a second, and the latency far below that rate."""
import re
import time

from .measure import Samples
from .scene import Failed, Scene, quiet_machine

FLOOR = "dnsfloor"  # a server that looks nothing up
NAMES = 100


def dnsperf(scene, *more):
    text = scene.run("c1", [
        "taskset", "-c", "0", "dnsperf", "-s", scene.call("dns_address"),
        "-d", scene.state + "/queries", "-c", "1", "-T", "1", *more])
    sent = re.search(r"Queries completed:\s+(\d+)", text)
    answered = re.search(r"NOERROR (\d+)", text)
    if not sent or not answered or int(answered[1]) < 0.99 * int(sent[1]):
        raise Failed("dnsperf: " + text[-600:])
    return text


def peak(scene, options):
    text = dnsperf(scene, "-l", str(options.duration * 2), "-q", "100")
    return float(re.search(r"Queries per second:\s+([\d.]+)", text)[1])


def paced(scene, options):
    text = dnsperf(scene, "-l", str(options.duration * 2), "-q", "100", "-Q", "2000", "-v")
    times = sorted(float(line.split()[-1]) * 1e6 for line in text.splitlines()
                   if line.startswith("> NOERROR"))
    return times[len(times) // 2], times[len(times) * 99 // 100]


def dns_scene(options, target):
    scene = Scene(options, target)
    try:
        scene.call("scene_up; dns_up %d; make_ns c1; attach c1 1" % NAMES)
        with open(scene.state + "/queries", "w", encoding="utf-8") as out:
            out.write(scene.call("dns_queries %d" % NAMES) + "\n")
        for _ in range(50):
            try:
                dnsperf(scene, "-l", "0.1", "-t", "1")
                return scene
            except Failed as error:
                problem = error
                time.sleep(0.1)
        raise problem
    except Failed:
        scene.close()
        raise


def run(options, _, targets):
    samples, scenes = Samples(FLOOR), {}
    floor = dns_scene(options, "dns-floor")
    try:
        for target, version in targets:
            samples.versions[target] = version
            try:
                scenes[target] = dns_scene(options, target)
            except Failed as error:
                samples.fail(target, error)
        for _ in range(options.reps):
            for target, scene in scenes.items():
                with quiet_machine():
                    samples.add((target, "qps", "v4"), "queries/s", peak(floor, options),
                                peak(scene, options))
                    base, got = paced(floor, options), paced(scene, options)
                samples.add((target, "p50", "v4"), "us", base[0], got[0])
                samples.add((target, "p99", "v4"), "us", base[1], got[1])
    finally:
        for scene in [floor, *scenes.values()]:
            scene.close()
    return FLOOR, samples.rows()
