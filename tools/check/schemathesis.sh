#!/usr/bin/env bash
# Fails if the running gateway does not conform to the document that it serves.
# schemathesis generates valid and invalid requests from /openapi.json and checks the
# responses. With CI=true or INSTALL=1 it is installed, at pinned versions, into
# bin/schemathesis.
set -euo pipefail
cd "$(dirname "$0")/../.."

here=tools/check/schemathesis
venv=bin/schemathesis
pins=$here/requirements.txt

# installed succeeds if the environment has the pinned versions.
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

# The document describes only the length of a phone number: a schema cannot express
# whether a number is possible.
start_demo "$work" --phone-validation=length

# Idempotency-Key and request_id must be equal if both are set. A schema cannot express
# that, so requests here have only request_id. Go tests cover both.
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

# The deadline is shorter than the time-out of schemathesis: an Add may wait for its answer.
$venv/bin/st --config-file $here/config.toml run --no-color --header "Grpc-Timeout: 5S" --url "$url" "$work/openapi.json"
