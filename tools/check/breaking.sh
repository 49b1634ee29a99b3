#!/bin/sh
# Fails if a change of the proto breaks clients. It compares with the last release.
# Before the first release it compares with the commit where the branch left main, or on
# main with the commit before the change. BREAKING_BASE sets another base.
set -eu
cd "$(dirname "$0")/../.."

base() {
	if [ -n "${BREAKING_BASE:-}" ]; then
		echo "$BREAKING_BASE"
	elif git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null; then
		:
	elif fork origin/main || fork main; then
		:
	elif git diff --quiet HEAD -- proto 2>/dev/null; then
		git rev-parse --verify --quiet 'HEAD^'
	else
		git rev-parse --verify --quiet HEAD
	fi
}

# fork prints the commit where HEAD left a branch. It fails if HEAD is on the branch.
fork() {
	at=$(git merge-base HEAD "$1" 2>/dev/null) && [ "$at" != "$(git rev-parse HEAD)" ] && echo "$at"
}

if ! against=$(base); then
	echo "breaking changes: SKIPPED: there is no earlier commit to compare with"
	exit 0
fi
if ! git cat-file -e "$against:proto" || ! git cat-file -e "$against:buf.yaml"; then
	echo "breaking changes: SKIPPED: $against has no proto"
	exit 0
fi

# .proto-deps is not in git, so buf cannot read the base from git by itself.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git archive "$against" proto buf.yaml | tar xf - -C "$work"
cp -R .proto-deps "$work"
${BUF:-buf} breaking --against "$work"
echo "breaking changes: none since $against"
