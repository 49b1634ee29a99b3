# shellcheck shell=bash
# Functions for other checks: run a gateway with its simulator on free loopback ports.

# start_demo WORK [FLAG]... starts a gateway with binary and output in WORK, and sets gateway
# to its process id and url to its HTTP address.
start_demo() {
	local work=$1
	shift
	${GO:-go} build -o "$work/server" ./cmd/server
	"$work/server" --demo "$@" \
		--grpc-addr=127.0.0.1:0 --http-addr=127.0.0.1:0 --admin-addr=127.0.0.1:0 >"$work/banner" 2>"$work/log" &
	gateway=$!
	for _ in {1..100}; do
		url=$(sed -n 's/^HTTP *//p' "$work/banner")
		[ -z "$url" ] || return 0
		kill -0 $gateway || break
		sleep 0.1
	done
	cat "$work/log" >&2
	return 1
}

# stop_demo stops it.
stop_demo() {
	[ -z "${gateway:-}" ] || { kill "$gateway" && wait "$gateway"; } 2>/dev/null || true
}
