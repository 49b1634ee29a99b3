#!/usr/bin/env bash
# Fails where the running gateway does not hold to the document that it serves:
# schemathesis makes up requests from /openapi.json, sound and broken ones, and judges
# the answers. It is installed at pinned versions into bin/schemathesis, with CI=true or
# INSTALL=1 only.
set -euo pipefail
cd "$(dirname "$0")/../.."

here=tools/check/schemathesis
venv=bin/schemathesis
pins=$here/requirements.txt

# installed says whether the environment is the one that the pins ask for.
installed() { [ -x $venv/bin/st ] && cmp -s $pins $venv/pins.txt; }

if ! installed; then
	if [ "${CI:-}" != true ] && [ -z "${INSTALL:-}" ]; then
		echo "API check: SKIPPED: schemathesis is not installed ('make api-check INSTALL=1' installs it into $venv)"
		exit 0
	fi
	rm -rf $venv
	python3 -m venv $venv
	$venv/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement $pins
	cp $pins $venv/pins.txt
fi

. tools/check/demo.sh
work=$(mktemp -d)
trap 'stop_demo; rm -rf "$work"' EXIT

# What the document says of a phone number is its length: whether a number is possible
# is in no schema.
start_demo "$work" --phone-validation=length

# Idempotency-Key is another name of request_id. That both agree where both are given is
# in no schema, so that requests here have the one alone; tests in Go have both.
$venv/bin/python - "$url/openapi.json" "$work/openapi.json" <<'PYTHON'
import json, sys, urllib.request

with urllib.request.urlopen(sys.argv[1]) as served:
    document = json.load(served)
add = document["paths"]["/v2/conferences/{conference_id}/participants"]["post"]
kept = [p for p in add["parameters"] if p.get("name") != "Idempotency-Key"]
assert len(kept) == len(add["parameters"]) - 1, "the document no longer has Idempotency-Key"
add["parameters"] = kept
with open(sys.argv[2], "w") as trimmed:
    json.dump(document, trimmed)
PYTHON

$venv/bin/st --config-file $here/config.toml run --no-color --url "$url" "$work/openapi.json"
