# SPDX-License-Identifier: GPL-2.0-or-later
# netavark, podman's network program, as podman runs it: one process for each
# setup and teardown.  It has no allocator: podman hands it the address.
ITEMS="c2c publish publish-local masquerade publish-scale cni-add cni-del"
NETAVARK=${NETAVARK:-$(peer_program /usr/lib/podman/netavark)}
NEEDS="${NETAVARK##* } iptables"
PACKAGE="netavark"

netavark_input() { # ID IP PORTS
	cat <<-INPUT
	{ "container_id": "$1", "container_name": "$1", "port_mappings": [$3],
	  "networks": { "nbnet": { "static_ips": ["$2"], "interface_name": "eth0" } },
	  "network_info": { "nbnet": { "name": "nbnet", "id":
	    "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9",
	    "driver": "bridge", "network_interface": "$BR", "ipv6_enabled": false,
	    "subnets": [{ "subnet": "$SUBNET", "gateway": "$GATEWAY" }],
	    "internal": false, "dns_enabled": false, "options": {},
	    "ipam_options": { "driver": "host-local" } } } }
	INPUT
}
netavark_port() { # HOST CONTAINER PROTO
	echo "{ \"host_ip\": \"\", \"host_port\": $1, \"container_port\": $2, \"protocol\": \"$3\", \"range\": 1 }"
}
up() {
	netavark_input '{id}' '{ip}' "$(netavark_port '{port}' 80 tcp)" >"$STATE/input.json"
	set_sysctl node net.bridge.bridge-nf-call-iptables=1
}
attach_published() { # NAME INDEX PORT...
	_n=$1 _i=$2 _all=
	shift 2
	for _m; do
		_c=${_m#*:}
		_all="$_all${_all:+, }$(netavark_port "${_m%%:*}" "${_c%/*}" "${_m#*/}")"
	done
	netavark_input "$P-$_n" "10.88.0.$((_i + 10))" "$_all" |
		at node $NETAVARK --config "$STATE" setup "/run/netns/$P-$_n" >/dev/null
}
attach() { attach_published "$1" "$2"; }
# Ports come with the container: one more carries all of them.
publish_fill() { # FROM COUNT
	make_ns fill
	attach_published fill 90 $(seq -f "%.0f" "$1" $(($1 + $2 - 1)) | sed 's|.*|&:&/tcp|')
}
publish_many() { publish_fill "$@"; }

# netavark has no lock of its own in this version and fails when two run at
# once; podman holds one around it, so flock(1) does here.
cni_args() {
	_run="/usr/bin/flock $STATE/lock $NETAVARK"
	echo "--exec-add|$_run --config $STATE setup {netns}|--exec-del|$_run --config $STATE teardown {netns}|--stdin|$STATE/input.json"
}
