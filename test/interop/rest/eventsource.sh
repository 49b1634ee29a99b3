#!/usr/bin/env bash
# Runs the client that uses EventSource; install.sh installs what it needs.
set -euo pipefail
cd "$(dirname "$0")"
[ -d node_modules ] || ./install.sh eventsource >&2
exec node eventsource_client.mjs
