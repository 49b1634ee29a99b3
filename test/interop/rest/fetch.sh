#!/usr/bin/env bash
# Runs the client that uses Node's own fetch.
set -euo pipefail
exec node "$(dirname "$0")/fetch_client.mjs"
