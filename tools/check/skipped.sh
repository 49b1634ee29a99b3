#!/bin/sh
# Fails with CI=true if a test was skipped: CI must have everything that the tests need.
# gotestsum runs this script after the tests and sets TESTS_SKIPPED.
set -eu
if [ "${CI:-}" = true ] && [ "${TESTS_SKIPPED:-0}" != 0 ]; then
	echo "FAIL: $TESTS_SKIPPED tests were skipped, which CI does not allow"
	exit 1
fi
