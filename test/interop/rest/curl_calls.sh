# shellcheck shell=bash
# Calls of the gateway's REST API with curl. Each prints its result.

add_fields=(phone_number name role muted request_id validate_only wait_for_answer)

# What a call that got no response counts as.
no_response='{"error": {"status": "UNAVAILABLE", "details": []}}'

# conference_path prints the path of the command's conference.
conference_path() { jq -r '"/v2/conferences/" + (.conference | @uri)' <<<"$command"; }

# query NAME... prints these fields of the command as a query; a list is a repeated key.
query() {
	jq -r '[. as $command | $ARGS.positional[] as $name | $command[$name] // empty
		| if type == "array" then .[] else . end | "\($name)=\(tostring | @uri)"] | join("&")' --args "$@" <<<"$command"
}

# body NAME... prints these fields of the command as an object.
body() { jq -c 'with_entries(select(.value != null and (.key | IN($ARGS.positional[]))))' --args "$@" <<<"$command"; }

# request METHOD PATH [ARGUMENT]... becomes a curl that calls the gateway, so it needs a subshell. The
# credential is not among curl's arguments, because every user of the machine can read those.
request() {
	exec curl -sSN -X "$1" -H @<(authorization) -H 'Content-Type: application/json' "${@:3}" "$url$2"
}

authorization() { [ ${#credentials[@]} = 0 ] || printf 'Authorization: Bearer %s\n' "${credentials[0]}"; }

# call is a request with a response of one part, at most 80 s later.
call() { (request "$@" --max-time 80) || echo "$no_response"; }

# conference METHOD PATH [ARGUMENT]... is a call about the command's conference.
conference() {
	local response
	response=$(call "$1" "$(conference_path)$2" "${@:3}")
	show result <<<"${response:-null}"
	look_for_refusal "$response"
}

# participant METHOD PATH is a call about the command's participant.
participant() { conference "$1" "/participants/$(jq -r '.participant | @uri' <<<"$command")$2"; }

# look_for_refusal RESPONSE goes on to the next credential if this one was refused.
look_for_refusal() {
	[ "$(jq -r '.error.status // empty' <<<"$1")" != UNAUTHENTICATED ] || next_credential
}

next_credential() { [ ${#credentials[@]} -lt 2 ] || credentials=("${credentials[@]:1}"); }

# list reads all pages.
list() {
	local page pages='' filter token=''
	filter=$(query statuses roles page_size)
	while :; do
		page=$(call GET "$(conference_path)/participants?$filter&page_token=$token")
		pages+=$page
		token=$(jq -r '.next_page_token // empty' <<<"$page")
		[ -n "$token" ] || break
	done
	jq -s . <<<"$pages" | show result_of_pages
	look_for_refusal "$page"
}

# open_stream METHOD PATH [ARGUMENT]... begins a request whose lines are read from $lines.
open_stream() {
	exec {lines}< <(request "$@")
	curl=$!
}

close_stream() { kill "${curl:-}" 2>/dev/null || true; }

# batch prints the result of each line as it comes.
batch() {
	local line last=$no_response
	open_stream POST "$(conference_path)/participants:batchAdd" --data-binary "$(body entries request_id resume)"
	while IFS= read -r -u "$lines" line || [ -n "$line" ]; do
		last=$line
		show result_of_batch <<<"$line"
	done
	case $last in
	'{"summary"'*) show '{done: true}' <<<null ;;
	'{"error"'*) ;;
	*) show result <<<"$no_response" ;;
	esac
}
