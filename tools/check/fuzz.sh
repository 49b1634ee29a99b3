#!/bin/sh
# Runs each fuzz target for FUZZTIME (5s). FUZZ is a pattern that selects targets. An
# input that fails is kept in testdata/fuzz of its package, where tests run it too.
set -eu
cd "$(dirname "$0")/../.."
go=${GO:-go}

targets() {
	grep -rEo --include='*_test.go' '^func Fuzz\w+' internal cmd tools |
		sed -E 's|/[^/]+_test\.go:func | |' | grep -E "${FUZZ:-.}" | sort
}

failed=$(targets | while read -r package target; do
	echo "=== $package $target" >&2
	"$go" test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-5s}" "./$package" >&2 </dev/null || echo "$target"
done)
[ -z "$failed" ] || { echo "fuzzing failed:" $failed >&2; exit 1; }
