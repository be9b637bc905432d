# SPDX-License-Identifier: GPL-2.0-or-later
"""Images for the items run and load, as docker-archive tars: made here, from
Debian's busybox-static and files of the host, so that nothing is fetched."""
import hashlib
import io
import json
import os
import tarfile

from .scene import Failed

SMALL, LARGE = 0, 64 << 20  # bytes beside busybox
NAME = "bench:latest"
BUSYBOX = ["/usr/bin/busybox", "/bin/busybox"]


def busybox():
    for path in BUSYBOX:
        if os.path.exists(path):
            return os.path.realpath(path)
    raise Failed("busybox is missing: apt-get install busybox-static")


def add_root(tar, extra):
    for folder in ("bin", "etc", "proc", "sys", "dev", "tmp", "data"):
        info = tarfile.TarInfo(folder)
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(info)
    tar.add(busybox(), "bin/busybox")
    for name in ("sh", "true"):
        info = tarfile.TarInfo("bin/" + name)
        info.type, info.linkname = tarfile.SYMTYPE, "busybox"
        tar.addfile(info)
    room = extra
    for folder, _, files in sorted(os.walk("/usr/lib/x86_64-linux-gnu")):
        for name in sorted(files):
            path = os.path.join(folder, name)
            if room <= 0:
                return
            if os.path.isfile(path) and not os.path.islink(path):
                tar.add(path, "data" + path)
                room -= os.path.getsize(path)


def put(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def build(path, extra):
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        add_root(tar, extra)
    data = layer.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    config = json.dumps({
        "architecture": "amd64", "os": "linux", "config": {"Cmd": ["sh"],
            "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest]},
        "history": [{"created_by": "bench"}]}).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    with tarfile.open(path, "w") as tar:
        put(tar, name, config)
        put(tar, digest + "/layer.tar", data)
        put(tar, "manifest.json", json.dumps([{
            "Config": name, "RepoTags": [NAME], "Layers": [digest + "/layer.tar"]}]).encode())


def unpacked(folder):
    """A root for the floor, with the same content."""
    root = os.path.join(folder, "root")
    if not os.path.exists(root):
        os.mkdir(root)
        with tarfile.open(os.path.join(folder, "image.tar")) as outer:
            layer = next(m for m in outer if m.name.endswith("/layer.tar"))
            with tarfile.open(fileobj=outer.extractfile(layer)) as tar:
                tar.extractall(root)
    return root
