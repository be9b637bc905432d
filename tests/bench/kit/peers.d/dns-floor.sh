# SPDX-License-Identifier: GPL-2.0-or-later
# Not a peer: the floor of the item dns, a server that looks nothing up.
ITEMS=""
dns_up() {
	bridge_up node $GATEWAY
	start node "$BUILD/dnsfloor" --addr $GATEWAY --port 53 --cpu "${CPU:-0}"
}
dns_pids() { cat "$STATE/pids"; }
