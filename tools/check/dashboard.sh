#!/usr/bin/env bash
# Tests the dashboard in a browser (default), or takes its screenshots: dashboard.sh [test|screenshots].
# Locally the tests are skipped without Node, npm or Chromium.
set -euo pipefail
cd "$(dirname "$0")/../.."

missing=
for command in node npm; do
	command -v "$command" >/dev/null || missing=$command
done
[[ -n ${CHROMIUM:-} ]] || command -v chromium chromium-browser google-chrome >/dev/null || missing=chromium
if [[ -n $missing ]]; then
	echo "dashboard: SKIPPED: $missing is not installed"
	[[ ${CI:-} != true ]]
	exit
fi

cd test/dashboard
npm ci --silent --no-audit --no-fund
case ${1:-test} in
	test) npm run --silent lint && npm run --silent test ;;
	*) npm run --silent "$1" ;;
esac
