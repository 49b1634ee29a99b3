# shellcheck shell=bash
# A watch that survives lost and silent connections, with curl. curl_watch.jq keeps what it knows.

silent='{"error": {"status": "UNAVAILABLE", "details": [{"@type": ".ErrorInfo", "reason": "SILENT"}]}}'

# watch prints the states of the command's conference until it ends.
watch() {
	local view verdict delay renew heartbeat backoff=250
	heartbeat=$(jq '.heartbeat_s // 15' <<<"$command")
	view=$(view "new_view(input? // null)" "$(earlier_view)")
	while :; do
		watch_once
		[ "$verdict" = again ] || return 0
		[ "$renew" = false ] || next_credential
		wait_again
	done
}

# earlier_view prints the view of the watch to continue, if there is one.
earlier_view() { cat "$(view_file .continue)" 2>/dev/null || true; }

view_file() { echo "$views/$(jq -r "$1 // \"none\" | @uri" <<<"$command")"; }

# view PROGRAM [INPUT] prints what a jq program makes of a view.
view() { jq -L . -rcn --arg id "$id" "${@:3}" "include \"curl_watch\"; $1" <<<"${2:-}"; }

# watch_once makes one call, and takes its messages until it ends or is silent for two heartbeats.
watch_once() {
	local line query code
	query=$(query statuses roles participant_ids)
	view=$(jq -c '.called = false' <<<"$view")
	open_stream GET "$(conference_path)/participants:watch?$query&heartbeat_interval=${heartbeat}s$(resume_token)"
	verdict=go
	while [ "$verdict" = go ]; do
		code=0
		IFS= read -r -t $((2 * heartbeat)) -u "$lines" line || code=$?
		# read returns more than 128 after a time-out. The last line may have no line end.
		((code <= 128)) || line=$silent
		step "${line:-$no_response}"
	done
	close_stream
	exec {lines}<&-
}

resume_token() { jq -r 'if .token == "" then "" else "&resume_token=\(.token | @uri)" end' <<<"$view"; }

# step LINE takes a line of the stream, and prints the states after it.
step() {
	local spare=false
	[ ${#credentials[@]} -lt 2 ] || spare=true
	{
		read -r view
		read -r verdict delay renew
		printf '%s\n' "$view" >"$(view_file .id)"
		cat
	} < <(view 'input | step($line; $spare) | ., "\(.verdict) \(.delay) \(.renew)", (.results[] | {$id} + .)' \
		"$view" --arg line "$1" --argjson spare $spare)
}

# wait_again waits before the next call: as long as the gateway asked for, at least the back-off, and up to
# a quarter longer by chance.
wait_again() {
	[ "$(jq .called <<<"$view")" = false ] || backoff=250
	local ms=$((delay > backoff ? delay : backoff))
	ms=$((ms + ms * RANDOM / 32768 / 4))
	backoff=$((2 * backoff < 10000 ? 2 * backoff : 10000))
	# A sleep in the background, because bash takes no signal while it waits for one in the foreground.
	sleep "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))" &
	wait $!
}
