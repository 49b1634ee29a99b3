#!/bin/sh
# Fails with CI=true when a test was skipped: in CI everything that a test needs must
# be there. gotestsum runs it after the tests and sets TESTS_SKIPPED.
set -eu
if [ "${CI:-}" = true ] && [ "${TESTS_SKIPPED:-0}" != 0 ]; then
	echo "FAIL: $TESTS_SKIPPED tests were skipped; none may be in CI"
	exit 1
fi
