#!/usr/bin/env bash
# Runs `make check` of each client that is named, and prints the time of each. Locally, a client
# whose tools are missing is skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."

declare -A needs=([cpp]="cmake clang-format protoc" [java]="javac mvn" [python]=python3 [rust]=cargo [typescript]="node npm")

failed=()
for client in "$@"; do
	for command in ${needs[$client]}; do
		command -v "$command" >/dev/null || missing=$command
	done
	if [[ -n ${missing:-} && ${CI:-} != true ]]; then
		printf '%-10s SKIPPED: %s is not installed\n' "$client" "$missing"
		unset missing
		continue
	fi
	began=$SECONDS log=$(mktemp)
	if make -C "clients/$client" check >"$log" 2>&1; then
		printf '%-10s ok (%d s)\n' "$client" $((SECONDS - began))
	else
		printf '%-10s FAILED (%d s)\n' "$client" $((SECONDS - began))
		tail -n 60 "$log" >&2
		failed+=("$client")
	fi
	rm "$log"
done
if ((${#failed[@]})); then
	echo "clients: FAILED: ${failed[*]}" >&2
	exit 1
fi
