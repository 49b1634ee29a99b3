#!/usr/bin/env bash
# Installs what a client needs into this folder, at the pinned versions, unless that is done:
#   test/interop/rest/install.sh requests|eventsource
set -euo pipefail
cd "$(dirname "$0")"
case $1 in
requests)
	cmp -s requirements.txt .venv/requirements.txt && exit
	rm -rf .venv
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement requirements.txt
	cp requirements.txt .venv/
	;;
eventsource)
	npm ci --silent --no-audit --no-fund
	;;
*)
	echo "no client $1 needs anything" >&2
	exit 2
	;;
esac
