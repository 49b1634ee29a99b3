#!/usr/bin/env bash
# The client of the conformance test that uses bash, curl and jq: commands in, results out.
set -euo pipefail
cd "$(dirname "$0")"
. ./curl_calls.sh
. ./curl_watch.sh

url='' credentials=()
declare -A running=() # the process of each watch and batch, by its id
views=$(mktemp -d)    # the last view of each watch
trap 'rm -rf "$views"' EXIT

# show PROGRAM prints what the jq program makes of its input, as a result of the command.
show() { jq -L . -c --arg id "$id" "include \"curl\"; {\$id} + ($1)"; }

# background FUNCTION runs a function that streams, until it ends or is stopped.
background() {
	(
		trap 'close_stream; show "{done: true}" <<<null; exit' TERM
		"$1"
	) </dev/null &
	running[$id]=$!
}

stop() {
	local process=${running[$1]:-}
	[ -n "$process" ] || return 0
	unset "running[$1]"
	kill "$process" 2>/dev/null || true
	wait "$process" || true
}

serve() {
	case $1 in
	connect)
		url=$(jq -r .url <<<"$command")
		mapfile -t credentials < <(jq -r '.credentials // [.credential // empty] | .[]' <<<"$command")
		show '{ok: true}' <<<null
		;;
	add) conference POST /participants --data-binary "$(body "${add_fields[@]}")" ;;
	get) participant GET '' ;;
	remove) participant DELETE '' ;;
	mute | unmute | hold | resume | disconnect) participant POST "/$1" ;;
	mute_all) conference POST /mute-all ;;
	refresh) conference POST /participants:refresh ;;
	list) list ;;
	watch | batch) background "$1" ;;
	stop)
		stop "$(jq -r .watch <<<"$command")"
		show '{ok: true}' <<<null
		;;
	*) show '{unsupported: true}' <<<null ;;
	esac
}

while IFS= read -r command; do
	id=$(jq -r .id <<<"$command")
	serve "$(jq -r .call <<<"$command")"
done
for id in "${!running[@]}"; do stop "$id"; done
