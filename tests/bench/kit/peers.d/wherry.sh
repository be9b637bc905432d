# SPDX-License-Identifier: GPL-2.0-or-later
# Wherry: its data path driven by wherry-cni, its engine by wherry; an instance
# of its own for each scene. BIN is the folder of a release build.
ITEMS="c2c publish publish-local masquerade publish-scale publish-change budget cni-add cni-del endpoint-scale dns run load"
VARIANTS="v4 v6 big-tcp respect"
NEEDS="$BIN/wherry-cni"

version() { "$BIN/wherry" version 2>/dev/null | head -1 || :; }

up() {
	# As many source ports for masquerading as an instance of the default root has.
	mkdir -p "$STATE/root/etc/wherry"
	echo '{ "masqueradePorts": "16384-32767" }' >"$STATE/root/etc/wherry/config.json"
	_ranges="[{ \"subnet\": \"$SUBNET\" }]"
	_keys=
	case $VARIANT in
	v6*) _ranges="[{ \"subnet\": \"fd88::/64\" }]" ;;
	esac
	case $VARIANT in
	*big-tcp) _keys='"bigTcp": true,' ;;
	*respect) _keys='"hostFirewall": "respect",' ;;
	esac
	cat >"$STATE/net.conflist" <<-LIST
	{ "cniVersion": "1.0.0", "name": "nbnet", "plugins": [
	  { "type": "wherry-cni", "root": "$STATE/root", "bridge": "$BR",
	    "isGateway": true, "isDefaultGateway": true, "ipMasq": true,
	    "hairpinMode": true, $_keys
	    "capabilities": { "portMappings": true, "aliases": true },
	    "ipam": { "type": "wherry-ipam", "ranges": [$_ranges] } } ] }
	LIST
}
cnirun() { # NAME OPTION...
	_n=$1
	shift
	at node "$BUILD/cnirun" --conflist "$STATE/net.conflist" --path "$BIN" \
		--netns "/run/netns/$P-$_n" --id "$P-$_n" --only add "$@" >/dev/null
}
attach_published() { # NAME INDEX PORT...
	_name=$1
	shift 2
	_ports=()
	for _m; do _ports+=(--port "$_m"); done
	cnirun "$_name" "${_ports[@]}"
}
address() {
	if is_v6; then
		at "$1" ip -6 -o addr show dev eth0 scope global | awk '{ sub("/.*", "", $4); print $4 }'
	else
		at "$1" ip -4 -o addr show dev eth0 | awk '{ sub("/.*", "", $4); print $4 }'
	fi
}
publish_target() { if is_v6; then echo "$NODE6_ADDR $1"; else echo "$NODE_ADDR $1"; fi; }
attach() { attach_published "$1" "$2"; }

# Ports come with ADD: one more container carries all of them.
publish_fill() { # FROM COUNT
	make_ns fill
	attach_published fill 90 $(seq -f "%.0f" "$1" $(($1 + $2 - 1)) | sed 's|.*|&:&/tcp|')
}
publish_many() { publish_fill "$@"; }
cni_args() { echo "--conflist|$STATE/net.conflist|--path|$BIN|--port|+20000:80/tcp"; }

# Names are those of endpoints: one is made for each.
dns_up() { # COUNT
	up
	_i=0
	while [ "$_i" -lt "$1" ]; do
		make_ns "n$_i"
		cnirun "n$_i" --alias "c$_i.nb"
		_i=$((_i + 1))
	done
	start node taskset -c 0 "$BIN/wherryd" --root "$STATE/root"
}
dns_pids() { cat "$STATE/pids"; }

# --- the engine --------------------------------------------------------------

wherry() { echo "$BIN/wherry --root $STATE/root"; }
engine_up() { mkdir -p "$STATE/root"; }
engine_prepare() { at node $(wherry) load -i "$1"; }
engine_run() { echo "$(wherry) run --rm bench:latest true"; }
engine_load() { echo "$(wherry) load -i $1"; }
engine_forget() { at node $(wherry) rmi bench:latest; }

down() { at node $(wherry) system reset --force >/dev/null 2>&1 || :; }
