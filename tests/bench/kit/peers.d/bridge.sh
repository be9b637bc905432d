# SPDX-License-Identifier: GPL-2.0-or-later
# A bare bridge, and plain routing in and out: no address translation, no
# firewall, no connection tracking.  What any bridge-based peer must pay.
ITEMS="c2c publish masquerade"
up() {
	bridge_up node $GATEWAY
	set_sysctl node net.bridge.bridge-nf-call-iptables=0
	at cli ip route add $SUBNET via $NODE_ADDR
}
publish() { :; }
publish_target() { echo "$(address "$2") $3"; }
