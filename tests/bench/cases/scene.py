# SPDX-License-Identifier: GPL-2.0-or-later
"""One target's namespaces, and the programs that run in them."""
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KIT = os.path.join(HERE, "kit")
SERVICE, PUBLISHED, FILL_FROM = 7777, 8080, 20000


class Failed(Exception):
    """A target could not do its part; the text says why."""


@contextlib.contextmanager
def quiet_machine():
    """Timed runs of everybody on this machine exclude each other."""
    path = os.environ.get("BENCH_LOCK") or os.path.join(
        tempfile.gettempdir(), "measure.lock")
    with open(path, "a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def netns(name):
    # Not "ip netns exec", which remounts /sys and hides bpffs and cgroups.
    return ["nsenter", "--net=/run/netns/" + name, "--"]


def known_peers():
    return sorted(f[:-3] for f in os.listdir(KIT + "/peers.d") if f.endswith(".sh"))


class Scene:
    """The namespaces of one target; its functions (peers.d) run in a shell."""

    count = 0

    def __init__(self, options, target=None, variant=""):
        Scene.count += 1
        self.options, self.target, self.variant = options, target, variant
        self.prefix = "nb%d-%d" % (os.getpid(), Scene.count)
        self.state = tempfile.mkdtemp(prefix="nb-state-")
        self.servers = []

    def ns(self, name):
        return self.prefix + "-" + name

    def call(self, script, check=True):
        source = '. "$KIT/scene.sh"\n'
        if self.target:
            source += '. "$KIT/peers.d/%s.sh"\n' % self.target
        env = dict(os.environ, KIT=KIT, P=self.prefix, STATE=self.state,
                   BUILD=self.options.kit, BIN=self.options.bin, CPU="0",
                   VARIANT=self.variant,
                   PEER_ROOT=self.options.peer_root or "")
        run = subprocess.run(["bash", "-e", "-c", source + script], env=env, text=True,
                             stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if check and run.returncode:
            raise Failed("%s: %r failed (%d): %s" % (
                self.target, script, run.returncode, run.stderr.strip()[-600:]))
        return run.stdout.strip()

    def serve(self, name):
        """Starts the load generator's server and waits until it says ready."""
        argv = [self.options.kit + "/nb", "server", "--port", str(SERVICE), "--cpu", "0"]
        if self.variant.startswith("v6"):
            argv += ["--addr", "::"]
        server = subprocess.Popen(netns(self.ns(name)) + argv, stdout=subprocess.PIPE)
        self.servers.append(server)
        if server.stdout.readline() != b"ready\n":
            raise Failed("no server in " + name)

    def run(self, name, argv):
        """Runs a program in a namespace of the scene and gives what it printed."""
        run = subprocess.run(netns(self.ns(name)) + argv, text=True, capture_output=True,
                             check=False)
        if run.returncode:
            raise Failed((run.stderr.strip() or run.stdout.strip())[-600:])
        return run.stdout

    def close(self):
        for server in self.servers:
            server.kill()
            server.wait()
            server.stdout.close()
        self.call("down || :; scene_down", check=False)
        shutil.rmtree(self.state, ignore_errors=True)


class Path:
    """A client's namespace, and the address that it asks."""

    def __init__(self, scene, client, address, port):
        self.scene, self.client = scene, client
        self.address, self.port = address, port

    def run(self, mode, duration):
        return json.loads(self.scene.run(self.client, [
            self.scene.options.kit + "/nb", "client", "--mode", mode,
            "--addr", self.address, "--port", str(self.port),
            "--duration", str(duration), "--cpu", "0", "--json"]))


def about(options, target):
    """What a peer says of itself: its items, why it cannot run, its version."""
    scene = Scene(options, target)
    try:
        items, missing, version = (scene.call(
            'printf "%s\\n" "$ITEMS"; missing | head -1; echo; version | head -1'
        ).split("\n") + ["", "", ""])[:3]
        if missing and not version:
            version = ""
        return items.split(), missing, version
    finally:
        shutil.rmtree(scene.state, ignore_errors=True)
