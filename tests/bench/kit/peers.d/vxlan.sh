# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel's vxlan on a bridge at both nodes, with forwarding entries
# written beforehand: no flooding, no learning across the overlay.
ITEMS="overlay"
MTU=1450

side() { # NODE LOCAL REMOTE
	bridge_up "$1" $GATEWAY
	at "$1" ip link add vx0 type vxlan id 42 dstport 4789 local "$2" \
		dev under0 nolearning
	at "$1" ip link set vx0 mtu $MTU master $BR up
	at "$1" bridge fdb append 00:00:00:00:00:00 dev vx0 dst "$3"
	set_sysctl "$1" net.bridge.bridge-nf-call-iptables=0
}
up() {
	side node $UNDERLAY_ADDR $NODE2_ADDR
	side node2 $NODE2_ADDR $UNDERLAY_ADDR
}
mac() { at "$1" ip -o link show eth0 | sed "s/.*ether \([^ ]*\).*/\1/"; }
place() { # NODE OTHER NAME INDEX NODE_ADDR
	bridge_attach "$1" "$3" "10.88.0.$(($4 + 10))" $MTU
	at "$2" bridge fdb add "$(mac "$3")" dev vx0 dst "$5" static
}
attach() { place node node2 "$1" "$2" $UNDERLAY_ADDR; }
attach_remote() { place node2 node "$1" "$2" $NODE2_ADDR; }
