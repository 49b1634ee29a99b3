# shellcheck shell=bash
# Functions that start and stop a gateway with its simulator on free loopback ports. Other
# checks source this file.

# start_demo WORK [FLAG]... starts the gateway, with its binary and its output in WORK. It
# sets gateway to the process id and url to the HTTP address.
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

# stop_demo stops the gateway.
stop_demo() {
	[ -z "${gateway:-}" ] || { kill "$gateway" && wait "$gateway"; } 2>/dev/null || true
}
