# SPDX-License-Identifier: GPL-2.0-or-later
# Wherry itself, by its CNI plugin; an instance of its own for each scene.
# WHERRY_BIN is the folder of its programs.
ITEMS="c2c publish publish-local masquerade publish-scale publish-many cni-add cni-del dns"

up() {
	mkdir -p "$STATE/root"
	cat >"$STATE/net.conflist" <<-LIST
	{ "cniVersion": "1.0.0", "name": "nbnet", "plugins": [
	  { "type": "wherry-cni", "root": "$STATE/root", "bridge": "$BR",
	    "isGateway": true, "isDefaultGateway": true, "ipMasq": true,
	    "capabilities": { "portMappings": true, "aliases": true },
	    "ipam": { "type": "host-local",
	      "ranges": [[{ "subnet": "$SUBNET" }]] } } ] }
	LIST
}
attach_published() { # NAME INDEX PORT...
	_n=$1
	shift 2
	for _m; do
		set -- "$@" --port "$_m"
		shift
	done
	at node "$BUILD/cnirun" --conflist "$STATE/net.conflist" --path "$WHERRY_BIN" \
		--netns "/run/netns/$P-$_n" --id "$P-$_n" --only add "$@" >/dev/null
}
attach() { attach_published "$1" "$2"; }

# Ports come with ADD: one more container carries all of them.
publish_fill() { # FROM COUNT
	make_ns fill
	attach_published fill 90 $(seq -f "%.0f" "$1" $(($1 + $2 - 1)) | sed 's|.*|&:&/tcp|')
}
publish_many() { publish_fill "$@"; }

cni_args() { echo "--conflist|$STATE/net.conflist|--path|$WHERRY_BIN|--port|+20000:80/tcp"; }

# Names are those of endpoints: one is made for each.
dns_up() { # COUNT
	up
	_i=0
	while [ "$_i" -lt "$1" ]; do
		ip netns add "$P-n$_i"
		at node "$BUILD/cnirun" --conflist "$STATE/net.conflist" --path "$WHERRY_BIN" \
			--netns "/run/netns/$P-n$_i" --id "$P-n$_i" --alias "c$_i.nb" --only add >/dev/null
		_i=$((_i + 1))
	done
	start node taskset -c "${CPU:-0}" "$WHERRY_BIN/wherryd" --root "$STATE/root"
}
dns_pids() { cat "$STATE/pids"; }
down() { at node "$WHERRY_BIN/wherry" --root "$STATE/root" system reset >/dev/null 2>&1 || :; }
