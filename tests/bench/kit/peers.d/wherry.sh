# SPDX-License-Identifier: GPL-2.0-or-later
# Wherry: its data path driven by wherry-cni, its engine by wherry. BIN is the
# folder of a release build. The state lies under STATE, in a bpffs of its own.
ITEMS="c2c publish publish-local masquerade publish-scale cni-add cni-del dns run load"
NEEDS="$BIN/wherry-cni"

export WHERRY_ROOT=$STATE/root WHERRY_BPFFS=$STATE/bpffs
version() { "$BIN/wherry" --version 2>/dev/null | head -1; }

bpffs_up() {
	mkdir -p "$STATE/bpffs"
	mountpoint -q "$STATE/bpffs" || mount -t bpf bpf "$STATE/bpffs"
}
conflist() { # the network: as the other CNI peers have it
	cat >"$STATE/net.conflist" <<-LIST
	{ "cniVersion": "1.0.0", "name": "nbnet", "plugins": [
	  { "type": "wherry-cni", "bridge": "$BR", "isGateway": true,
	    "isDefaultGateway": true, "ipMasq": true, "hairpinMode": true,
	    "capabilities": { "portMappings": true, "aliases": true },
	    "ipam": { "type": "wherry-ipam", "ranges": [[{ "subnet": "$SUBNET" }]] } } ] }
	LIST
}
up() {
	bpffs_up
	conflist
}
attach_published() { # NAME INDEX PORT...
	_n=$1
	shift 2
	for _m; do
		set -- "$@" --port "$_m"
		shift
	done
	at node "$BUILD/cnirun" --conflist "$STATE/net.conflist" --path "$BIN" \
		--netns "/run/netns/$P-$_n" --id "$P-$_n" --only add "$@" >/dev/null
}
attach() { attach_published "$1" "$2"; }

# Ports come with ADD: one more container carries all of them.
publish_fill() { # FROM COUNT
	make_ns fill
	attach_published fill 90 $(seq -f "%.0f" "$1" $(($1 + $2 - 1)) | sed 's|.*|&:&/tcp|')
}
publish_many() { publish_fill "$@"; }
cni_args() { echo "--conflist|$STATE/net.conflist|--path|$BIN|--port|+20000:80/tcp|--check"; }

dns_up() { # COUNT: one container has all the names
	up
	make_ns names
	set --  $(seq -f "c%.0f.nb" 0 19)
	at node "$BUILD/cnirun" --conflist "$STATE/net.conflist" --path "$BIN" \
		--netns "/run/netns/$P-names" --id "$P-names" --only add \
		$(printf -- '--alias %s ' "$@") >/dev/null
	start node taskset -c 0 "$BIN/wherryd"
}
dns_queries() { seq -f "c%.0f.nb A" 0 19; }

# --- the engine --------------------------------------------------------------

wherry="$BIN/wherry"
engine_up() { bpffs_up; }
engine_prepare() { at node "$wherry" load -i "$1"; }
engine_run() { echo "$wherry run --rm bench:latest true"; }
engine_load() { echo "$wherry load -i $1"; }
engine_forget() { at node "$wherry" rmi bench:latest; }

down() {
	at node "$wherry" system reset --force >/dev/null 2>&1 || :
	umount -l "$STATE/bpffs" 2>/dev/null || :
}
