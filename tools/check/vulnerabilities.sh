#!/bin/sh
# Fails if the code can reach a known vulnerability. If the database cannot be reached,
# it prints a warning and succeeds, since the code is not at fault.
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
	echo "WARNING: vulnerabilities were NOT CHECKED: the database cannot be reached (GOVULNDB names another one)"
	;;
*)
	echo "$found" >&2
	exit "$status"
	;;
esac
