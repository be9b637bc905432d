# SPDX-License-Identifier: GPL-2.0-or-later
"""The peers: which of them can run, and newer ones from a Debian 13 tree."""
import subprocess
import sys

from .scene import about, known_peers

PACKAGES = ["podman", "netavark", "aardvark-dns", "conmon", "crun", "containerd", "runc",
            "containernetworking-plugins", "docker.io", "docker-cli", "dnsmasq-base", "nftables", "iptables"]


def install(folder):
    """tools/bench peers DIR: a Debian 13 tree with the peers, by mmdebstrap."""
    return subprocess.run([
        "mmdebstrap", "--variant=apt", "--include=" + ",".join(PACKAGES), "trixie", folder],
        check=False).returncode


def for_item(options, item):
    """([(target, version)], {target: why not}) of one item."""
    targets, skipped = [], {}
    for name in ["wherry"] + [p for p in known_peers() if p != "wherry"]:
        if options.peer and name != "wherry" and name not in options.peer:
            continue
        items, missing, version = about(options, name)
        if item not in items:
            if name in (options.peer or []):
                skipped[name] = "takes no part in item " + item
        elif missing:
            skipped[name] = missing
        else:
            targets.append((name, version))
    for name in options.peer or []:
        if name not in known_peers():
            sys.exit("bench: --peer %s is not one of %s" % (name, " ".join(known_peers())))
    return targets, skipped
