# SPDX-License-Identifier: GPL-2.0-or-later
# dockerd of its own, in the scene's node.
ITEMS="run load"
missing() { missing_in_peer_root dockerd docker; }
PACKAGE="docker.io"

docker_command() { echo "$(in_peer_root) docker -H unix://$STATE/sock"; }
engine_up() {
	start node $(in_peer_root) dockerd --data-root "$STATE/data" --exec-root "$STATE/exec" \
		-p "$STATE/pid" -H "unix://$STATE/sock"
	for _ in $(seq 100); do
		$(docker_command) info >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	tail -3 "$STATE/log" >&2
	return 1
}
engine_prepare() { $(docker_command) load -q -i "$1" >/dev/null; }
engine_run() { echo "$(docker_command) run --rm bench:latest true"; }
engine_load() { echo "$(docker_command) load -q -i $1"; }
engine_forget() { $(docker_command) rmi -f bench:latest >/dev/null; }
down() {
	[ ! -e "$STATE/pid" ] || kill "$(cat "$STATE/pid")"
	for _ in $(seq 100); do
		[ -e "$STATE/pid" ] || break
		sleep 0.1
	done
}
