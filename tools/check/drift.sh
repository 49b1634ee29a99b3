#!/bin/sh
# Fails if the generated files differ from the output of `make generate`, or if one of
# them is not in git. It generates in a copy and does not change the tree.
set -eu
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/here"
tar cf - --exclude=./.git --exclude=./bin --exclude=./.proto-deps . | tar xf - -C "$work/here"
cp -R "$work/here" "$work/made"
"${MAKE:-make}" -s -C "$work/made" generate

if ! (cd "$work" && diff -ru --exclude=.proto-deps here made); then
	echo "generated files differ: run make generate" >&2
	exit 1
fi

untracked=$(git ls-files --others -- gen 2>/dev/null || true)
if [ -n "$untracked" ]; then
	printf 'generated files that are not in git:\n%s\n' "$untracked" >&2
	exit 1
fi
echo "generated files are up to date"
