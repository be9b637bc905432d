# SPDX-License-Identifier: GPL-2.0-or-later
# The CNI project's reference plugins: bridge with host-local, then portmap
# and firewall.  CNI_REF is their folder; Debian: containernetworking-plugins.
ITEMS="c2c publish publish-local masquerade publish-scale cni-add cni-del"
CNI_REF=${CNI_REF:-/usr/lib/cni}
NEEDS="$CNI_REF/bridge iptables"
PACKAGE="containernetworking-plugins"

up() {
	cat >"$STATE/net.conflist" <<-LIST
	{ "cniVersion": "1.0.0", "name": "nbnet", "plugins": [
	  { "type": "bridge", "bridge": "$BR", "isGateway": true,
	    "isDefaultGateway": true, "ipMasq": true, "hairpinMode": true,
	    "ipam": { "type": "host-local", "dataDir": "$STATE/ipam",
	      "ranges": [[{ "subnet": "$SUBNET" }]] } },
	  { "type": "portmap", "capabilities": { "portMappings": true } },
	  { "type": "firewall", "backend": "iptables" } ] }
	LIST
	set_sysctl node net.bridge.bridge-nf-call-iptables=1
}
attach_published() { # NAME INDEX PORT...
	_n=$1
	shift 2
	_ports=()
	for _m; do _ports+=(--port "$_m"); done
	at node "$BUILD/cnirun" --conflist "$STATE/net.conflist" --path "$CNI_REF" \
		--netns "/run/netns/$P-$_n" --id "$P-$_n" --only add "${_ports[@]}" >/dev/null
}
attach() { attach_published "$1" "$2"; }

# Ports come with ADD: one more container carries all of them.
publish_fill() { # FROM COUNT
	make_ns fill
	attach_published fill 90 $(seq -f "%.0f" "$1" $(($1 + $2 - 1)) | sed 's|.*|&:&/tcp|')
}
publish_many() { publish_fill "$@"; }

# No --check: portmap 1.1.1 fails its CHECK in a container without IPv6.
cni_args() { echo "--conflist|$STATE/net.conflist|--path|$CNI_REF|--port|+20000:80/tcp"; }

ipam_fill() { # COUNT: leases as the allocator itself leaves them
	cat >"$STATE/ipam.conflist" <<-LIST
	{ "cniVersion": "1.0.0", "name": "nbipam", "plugins": [
	  { "type": "host-local", "ipam": { "type": "host-local",
	    "dataDir": "$STATE/ipam", "ranges": [[{ "subnet": "$SUBNET" }]] } } ] }
	LIST
	mkdir -p "$STATE/ipam/nbipam"
	python3 - "$STATE/ipam/nbipam" "$1" <<-'FILL'
	import ipaddress, sys
	first = int(ipaddress.ip_address("10.88.0.2"))
	for i in range(int(sys.argv[2])):
	    address = str(ipaddress.ip_address(first + i))
	    with open(sys.argv[1] + "/" + address, "w") as lease:
	        lease.write("filled-%d\r\neth0" % i)
	with open(sys.argv[1] + "/last_reserved_ip.0", "w") as last:
	    last.write(address)
	FILL
}
ipam_args() { echo "--conflist|$STATE/ipam.conflist|--path|$CNI_REF"; }
