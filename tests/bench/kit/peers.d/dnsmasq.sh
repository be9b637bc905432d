# SPDX-License-Identifier: GPL-2.0-or-later
# dnsmasq with a hosts file, no upstream.
ITEMS="dns"
NEEDS="dnsmasq dnsperf"
PACKAGE="dnsmasq-base"
dns_up() { # COUNT: names c0, c1, ... at 10.88.1.0, ...
	bridge_up node $GATEWAY
	awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++)
		print "10.88." 1 + int(i / 256) "." i % 256, "c" i ".nb" }' >"$STATE/hosts"
	start node taskset -c "${CPU:-0}" dnsmasq --keep-in-foreground --conf-file=/dev/null \
		--no-resolv --no-hosts --addn-hosts="$STATE/hosts" --pid-file= \
		--listen-address=$GATEWAY --bind-interfaces --cache-size=10000 \
		--user=root --local=/nb/
}
dns_pids() { cat "$STATE/pids"; }
