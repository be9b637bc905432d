# SPDX-License-Identifier: GPL-2.0-or-later
# scene.sh - namespaces for one benchmark scene; sourced, never run.
#
#   client host "cli" -- veth -- node under test "node" -- containers "c1" ...
#
# P is the prefix of every name in the scene and STATE an empty folder of its
# own, so that many scenes live side by side.  Nothing touches the root
# namespace: links are born inside a namespace of the scene.

# What the case is: v4, v6, v4 big-tcp …
VARIANT=${VARIANT:-v4}
is_v6() { case $VARIANT in v6*) ;; *) false ;; esac; }

CLI_ADDR=10.99.0.2
NODE_ADDR=10.99.0.1
CLI6_ADDR=fd99::2
NODE6_ADDR=fd99::1
NODE2_ADDR=10.98.0.2
UNDERLAY_ADDR=10.98.0.1
SUBNET=10.88.0.0/16
GATEWAY=10.88.0.1
BR=nbr0

# at NAME COMMAND...: runs it in a namespace of the scene.  nsenter and not
# "ip netns exec", which remounts /sys and hides bpffs and cgroup mounts.
at() {
	_in=$1
	shift
	nsenter --net="/run/netns/$P-$_in" -- "$@"
}

# start NAME COMMAND...: the same in the background.  Its process id is noted,
# and scene_down ends it.
start() {
	_in=$1
	shift
	nsenter --net="/run/netns/$P-$_in" -- "$@" </dev/null >>"$STATE/log" 2>&1 &
	echo $! >>"$STATE/pids"
}

set_sysctl() { # NAME KEY=VALUE...
	_in=$1
	shift
	at "$_in" sysctl -q -w "$@" >/dev/null
}

make_ns() {
	ip netns add "$P-$1"
	at "$1" ip link set lo up
	# Many short connections: do not run out of ports or of TIME_WAIT.
	set_sysctl "$1" net.ipv4.ip_local_port_range="32768 65535" \
		net.ipv4.tcp_max_tw_buckets=4096
}

join() { # NAME_A DEV_A ADDR_A NAME_B DEV_B ADDR_B: a veth pair
	at "$1" ip link add "$2" type veth peer name "$5" netns "$P-$4"
	at "$1" ip addr add "$3" dev "$2"
	at "$4" ip addr add "$6" dev "$5"
	at "$1" ip link set "$2" up
	at "$4" ip link set "$5" up
}

scene_up() {
	make_ns cli
	make_ns node
	join cli eth0 $CLI_ADDR/24 node up0 $NODE_ADDR/24
	set_sysctl node net.ipv4.ip_forward=1
	if is_v6; then
		at cli ip addr add $CLI6_ADDR/64 dev eth0 nodad
		at node ip addr add $NODE6_ADDR/64 dev up0 nodad
		set_sysctl node net.ipv6.conf.all.forwarding=1
	fi
}

# A second node for overlays, on an underlay link of its own.
scene_second_node() {
	make_ns node2
	join node under0 $UNDERLAY_ADDR/24 node2 under0 $NODE2_ADDR/24
	set_sysctl node2 net.ipv4.ip_forward=1
}

# Ends what still runs in the scene's namespaces, then removes them.
scene_down() {
	for _ns in $(ip netns list 2>/dev/null | cut -d' ' -f1); do
		case $_ns in "$P"-*) ;; *) continue ;; esac
		ip netns pids "$_ns" | xargs -r kill -9
		ip netns del "$_ns"
	done
}

# The two endpoints of the floor: one bare veth pair, nothing else.
floor_up() {
	make_ns fa
	make_ns fb
	join fa eth0 10.77.0.1/24 fb eth0 10.77.0.2/24
	at fa ip addr add fd77::1/64 dev eth0 nodad
	at fb ip addr add fd77::2/64 dev eth0 nodad
}

# --- for peers that make their own bridge --------------------------------

bridge_up() { # NODE GATEWAY
	at "$1" ip link add $BR type bridge
	at "$1" ip addr add "$2/16" dev $BR
	at "$1" ip link set $BR up
}

bridge_attach() { # NODE NAME ADDR [MTU]
	at "$1" ip link add "v$2" mtu "${4:-1500}" type veth peer name eth0 \
		mtu "${4:-1500}" netns "$P-$2"
	at "$1" ip link set "v$2" master $BR up
	at "$2" ip addr add "$3/16" dev eth0
	at "$2" ip link set eth0 up
	at "$2" ip route add default via $GATEWAY
}

# --- defaults that a peer may override -----------------------------------

up() { bridge_up node $GATEWAY; }
attach() { bridge_attach node "$1" "10.88.0.$(($2 + 10))"; }
address() { at "$1" ip -4 -o addr show dev eth0 | awk '{sub("/.*", "", $4); print $4}'; }
publish_target() { echo "$NODE_ADDR $1"; } # HOSTPORT NAME CPORT
publish_fill() { # FROM COUNT NAME CPORT: the state that many ports leave
	_p=$1
	while [ "$_p" -lt $(($1 + $2)) ]; do
		publish "$_p" "$3" "$4" tcp
		_p=$((_p + 1))
	done
}
down() { :; }
# Attaches a container with its ports published: HOST:CONTAINER/PROTO...
attach_published() { # NAME INDEX PORT...
	_n=$1
	attach "$1" "$2"
	shift 2
	for _m; do
		_c=${_m#*:}
		publish "${_m%%:*}" "$_n" "${_c%/*}" "${_m#*/}"
	done
}
publish_many() { # FROM COUNT NAME CPORT: as the peer does it, one by one
	_p=$1
	while [ "$_p" -lt $(($1 + $2)) ]; do
		publish "$_p" "$3" "$4" tcp
		_p=$((_p + 1))
	done
}

# --- what a peer says of itself -------------------------------------------

VARIANTS=v4 # kinds of cases that it takes part in

# Programs that a peer needs: NEEDS, names or paths. Prints the first that
# lacks, nothing if all are there.
NEEDS=
missing() {
	for _m in $NEEDS; do
		command -v "$_m" >/dev/null || { echo "$_m is not installed"; return 0; }
	done
	return 0
}
# One line for the version of the peer; PACKAGE is its Debian package.
PACKAGE=
version() {
	[ -z "$PACKAGE" ] || dpkg-query ${PEER_ROOT:+--admindir="$PEER_ROOT/var/lib/dpkg"} \
		-W -f '${Package} ${Version}\n' $PACKAGE 2>/dev/null | paste -sd' '
}
# A peer's program, of the machine or of the tree named by --peer-root: its own
# loader and libraries run it, so that nothing needs to be mounted.
peer_program() { # PATH
	if [ -z "$PEER_ROOT" ]; then
		echo "$1"
	else
		echo "$PEER_ROOT/usr/lib64/ld-linux-x86-64.so.2 --library-path $PEER_ROOT/usr/lib/x86_64-linux-gnu $PEER_ROOT$1"
	fi
}

# Engines start programs of their own, so they run inside the tree, with the
# machine's /proc, /sys, /dev, /run and /tmp; tools/bench has its own mounts.
in_peer_root() { # prints the words before a command
	[ -n "$PEER_ROOT" ] || return 0
	mountpoint -q "$PEER_ROOT" || mount --bind "$PEER_ROOT" "$PEER_ROOT" >&2
	for _d in proc sys dev run tmp; do
		mountpoint -q "$PEER_ROOT/$_d" || mount --rbind "/$_d" "$PEER_ROOT/$_d" >&2
	done
	echo "chroot $PEER_ROOT"
}
missing_in_peer_root() { # PROGRAM...
	for _m; do
		PATH=$PEER_ROOT/usr/sbin:$PEER_ROOT/usr/bin command -v "$_m" >/dev/null ||
			{ echo "$_m is not installed"; return 0; }
	done
}

# --- names ------------------------------------------------------------------

dns_address() { echo $GATEWAY; }
dns_queries() { # COUNT: lines for dnsperf
	_q=0
	while [ "$_q" -lt "$1" ]; do
		echo "c$_q.nb A"
		_q=$((_q + 1))
	done
}
