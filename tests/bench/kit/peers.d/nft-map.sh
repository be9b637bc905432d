# SPDX-License-Identifier: GPL-2.0-or-later
# A bridge and nft: one lookup in a map finds a published port's container,
# as the nft modes of kube-proxy and netavark do.
ITEMS="c2c publish publish-local publish-scale masquerade"
NEEDS="nft"
PACKAGE="nftables"

up() {
	bridge_up node $GATEWAY
	set_sysctl node net.bridge.bridge-nf-call-iptables=1 \
		net.ipv4.conf.all.route_localnet=1
	at node nft -f - <<-RULES
	table ip nb {
		map ports {
			type inet_proto . inet_service : ipv4_addr . inet_service
		}
		chain prerouting {
			type nat hook prerouting priority dstnat;
			fib daddr type local dnat ip to meta l4proto . th dport map @ports
		}
		chain output {
			type nat hook output priority -100;
			fib daddr type local dnat ip to meta l4proto . th dport map @ports
		}
		chain postrouting {
			type nat hook postrouting priority srcnat;
			ip saddr $SUBNET oifname != "$BR" masquerade
			ip saddr 127.0.0.0/8 oifname "$BR" masquerade
			ip saddr $SUBNET ip daddr $SUBNET ct status dnat masquerade
		}
		chain forward {
			type filter hook forward priority filter; policy drop;
			ct state vmap { established : accept, related : accept, invalid : drop }
			iifname "$BR" accept
			oifname "$BR" ct status dnat accept
		}
	}
	RULES
}

publish() { # HOSTPORT NAME CPORT PROTO
	at node nft add element ip nb ports "{ $4 . $1 : $(address "$2") . $3 }"
}

publish_many() { # FROM COUNT NAME CPORT
	seq "$1" $(($1 + $2 - 1)) | at node sh -c 'while read -r port; do
		nft add element ip nb ports "{ tcp . $port : $0 . $port }"
	done' "$(address "$3")"
}

publish_fill() { # FROM COUNT NAME CPORT
	awk -v from="$1" -v count="$2" -v a="$(address "$3")" 'BEGIN {
		for (p = from; p < from + count; p++)
			print "add element ip nb ports { tcp . " p " : " a " . " p " }"
	}' | at node nft -f -
}
