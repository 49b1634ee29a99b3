#!/usr/bin/env bash
# Runs `make check` of each client that is named, two at a time, and prints the time of each.
# Locally, a client whose tools are missing is skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."

# tools_of prints the commands that a client's check needs.
tools_of() {
	case $1 in
	cpp) echo cmake clang-format protoc ;;
	java) echo javac mvn ;;
	python) echo python3 ;;
	rust) echo cargo ;;
	typescript) echo node npm ;;
	esac
}

check() {
	local client=$1 began=$SECONDS command log
	for command in $(tools_of "$client"); do
		if ! command -v "$command" >/dev/null && [[ ${CI:-} != true ]]; then
			printf '%-10s SKIPPED: %s is not installed\n' "$client" "$command"
			return
		fi
	done
	log=$(mktemp)
	if ! make -C "clients/$client" check >"$log" 2>&1; then
		tail -n 60 "$log" >&2
		printf '%-10s FAILED (%d s)\n' "$client" $((SECONDS - began))
		return 1
	fi
	printf '%-10s ok (%d s)\n' "$client" $((SECONDS - began))
	rm "$log"
}

export -f tools_of check
# The checks mostly compile, but also wait for downloads and for other processes.
if ! printf '%s\n' "$@" | xargs -P 2 -I CLIENT bash -euo pipefail -c 'check CLIENT'; then
	echo "clients: FAILED" >&2
	exit 1
fi
