#!/bin/sh
# Fails on a known vulnerability that the code reaches. If the database is unreachable it
# prints a warning and passes.
set -eu
cd "$(dirname "$0")/../.."

if found=$(${VULN:-govulncheck} ./... 2>&1); then
	echo "$found"
	exit 0
else
	status=$?
fi
case $found in
*"fetching vulnerabilities"*)
	echo "$found"
	echo "WARNING: vulnerabilities were NOT CHECKED: the database is unreachable (GOVULNDB sets another one)"
	;;
*)
	echo "$found" >&2
	exit "$status"
	;;
esac
