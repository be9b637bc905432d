# SPDX-License-Identifier: GPL-2.0-or-later
# aardvark-dns, podman's server: it answers by the client's address, so the
# client is in its table too.  AARDVARK names the program.
ITEMS="dns"
AARDVARK=${AARDVARK:-$(peer_program /usr/lib/podman/aardvark-dns)}
NEEDS="${AARDVARK##* } dnsperf"
PACKAGE="aardvark-dns"
dns_up() { # COUNT
	bridge_up node $GATEWAY
	mkdir -p "$STATE/aardvark"
	{
		echo $GATEWAY
		echo "client 10.88.0.11  client"
		awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++)
			print "id" i " 10.88." 1 + int(i / 256) "." i % 256 "  c" i ".nb,c" i }'
	} >"$STATE/aardvark/nbnet"
	at node taskset -c "${CPU:-0}" $AARDVARK --config "$STATE/aardvark" \
		--filter-search-domain .nb --port 53 run </dev/null >"$STATE/aardvark.log" 2>&1
}
dns_pids() { cat "$STATE/aardvark/aardvark.pid"; }
