# SPDX-License-Identifier: GPL-2.0-or-later
# A bridge and the rules that dockerd keeps for one bridge network, written
# with the distribution's iptables (the nft backend unless IPT says other).
ITEMS="c2c publish publish-scale masquerade"
NEEDS="iptables-nft"
PACKAGE="iptables"
IPT=${IPT:-iptables-nft}

up() {
	bridge_up node $GATEWAY
	set_sysctl node net.bridge.bridge-nf-call-iptables=1
	at node "$IPT-restore" <<-RULES
	*nat
	:DOCKER -
	-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
	-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
	-A POSTROUTING -s $SUBNET ! -o $BR -j MASQUERADE
	-A DOCKER -i $BR -j RETURN
	COMMIT
	*filter
	:FORWARD DROP
	:DOCKER -
	:DOCKER-USER -
	:DOCKER-ISOLATION-STAGE-1 -
	:DOCKER-ISOLATION-STAGE-2 -
	-A FORWARD -j DOCKER-USER
	-A FORWARD -j DOCKER-ISOLATION-STAGE-1
	-A FORWARD -o $BR -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	-A FORWARD -o $BR -j DOCKER
	-A FORWARD -i $BR ! -o $BR -j ACCEPT
	-A FORWARD -i $BR -o $BR -j ACCEPT
	-A DOCKER-USER -j RETURN
	-A DOCKER-ISOLATION-STAGE-1 -i $BR ! -o $BR -j DOCKER-ISOLATION-STAGE-2
	-A DOCKER-ISOLATION-STAGE-1 -j RETURN
	-A DOCKER-ISOLATION-STAGE-2 -o $BR -j DROP
	-A DOCKER-ISOLATION-STAGE-2 -j RETURN
	COMMIT
	RULES
}

# Three rules a port, each by a process of its own, as dockerd does it.
publish() { # HOSTPORT NAME CPORT PROTO
	_a=$(address "$2")
	at node "$IPT" -w -t nat -A DOCKER ! -i $BR -p "$4" --dport "$1" \
		-j DNAT --to-destination "$_a:$3"
	at node "$IPT" -w -t filter -A DOCKER ! -i $BR -o $BR -d "$_a" -p "$4" \
		--dport "$3" -j ACCEPT
	at node "$IPT" -w -t nat -A POSTROUTING -s "$_a" -d "$_a" -p "$4" \
		--dport "$3" -j MASQUERADE
}

publish_many() { # FROM COUNT NAME CPORT: one shell, so that only iptables is timed
	seq "$1" $(($1 + $2 - 1)) | at node sh -c 'while read -r port; do
		"$0" -w -t nat -A DOCKER ! -i "$2" -p tcp --dport "$port" \
			-j DNAT --to-destination "$1:$port"
		"$0" -w -t filter -A DOCKER ! -i "$2" -o "$2" -d "$1" -p tcp \
			--dport "$port" -j ACCEPT
		"$0" -w -t nat -A POSTROUTING -s "$1" -d "$1" -p tcp \
			--dport "$port" -j MASQUERADE
	done' "$IPT" "$(address "$3")" $BR
}

publish_fill() { # FROM COUNT NAME CPORT
	_a=$(address "$3")
	awk -v from="$1" -v count="$2" -v a="$_a" -v br=$BR 'BEGIN {
		print "*nat"
		for (p = from; p < from + count; p++) {
			print "-A DOCKER ! -i " br " -p tcp --dport " p " -j DNAT --to-destination " a ":" p
			print "-A POSTROUTING -s " a " -d " a " -p tcp --dport " p " -j MASQUERADE"
		}
		print "COMMIT\n*filter"
		for (p = from; p < from + count; p++)
			print "-A DOCKER ! -i " br " -o " br " -d " a " -p tcp --dport " p " -j ACCEPT"
		print "COMMIT"
	}' | at node "$IPT-restore" --noflush
}
