# SPDX-License-Identifier: GPL-2.0-or-later
# podman with its own storage, configuration and bridge; runc where crun
# refuses the machine's cgroups.
ITEMS="run load"
missing() { missing_in_peer_root podman runc conmon; }
PACKAGE="podman netavark"

podman_command() {
	echo "$(in_peer_root) podman --root $STATE/storage --runroot $STATE/run --tmpdir $STATE/tmp --runtime runc --cgroup-manager cgroupfs --network-config-dir $STATE/networks"
}
engine_up() {
	mkdir -p "$STATE/networks"
	at node $(podman_command) info >/dev/null
}
engine_prepare() { at node $(podman_command) load -q -i "$1" >/dev/null; }
engine_run() {
	echo "$(podman_command) run --rm --ulimit nofile=20000:20000 --ulimit nproc=32768:32768 bench:latest true"
}
engine_load() { echo "$(podman_command) load -q -i $1"; }
engine_forget() { at node $(podman_command) rmi -f bench:latest >/dev/null; }
down() { at node $(podman_command) system reset -f >/dev/null 2>&1 || :; }
