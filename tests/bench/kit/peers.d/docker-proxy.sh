# SPDX-License-Identifier: GPL-2.0-or-later
# A bridge and one userland proxy process for each published port.
# DOCKER_PROXY names the program; Debian's docker.io ships it.
ITEMS="publish publish-local"
NEEDS="${DOCKER_PROXY:-docker-proxy}"
PACKAGE="docker.io"
up() {
	bridge_up node $GATEWAY
	set_sysctl node net.bridge.bridge-nf-call-iptables=0
}
publish() { # HOSTPORT NAME CPORT PROTO; descriptor 3 tells when it listens
	_r=$STATE/proxy-ready.$1.$4
	mkfifo "$_r"
	start node taskset -c "${CPU:-0}" "${DOCKER_PROXY:-docker-proxy}" -proto "$4" \
		-host-ip 0.0.0.0 -host-port "$1" -container-ip "$(address "$2")" \
		-container-port "$3" 3<>"$_r"
	head -c 1 <"$_r" >/dev/null
}
