#!/usr/bin/env bash
# Measures the first minute: from a fresh clone and an empty build cache to the first live change that a
# watch of the demo shows. The modules must be in the module cache already.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tools/check/demo.sh
. tools/check/demo.sh

work=$(mktemp -d)
trap 'stop_demo; rm -rf "$work"' EXIT
export GOCACHE=$work/cache
SECONDS=0
git clone -q . "$work/clone"
cd "$work/clone"
start_demo "$work"
echo "clone, build and start: $SECONDS s"
set +o pipefail # grep ends curl.
curl -sN --max-time 60 -H 'Accept: text/event-stream' "$url/v2/conferences/conf_demo/participants:watch" | grep -q -m 1 '^event: changes'
echo "the first live change:  $SECONDS s"
