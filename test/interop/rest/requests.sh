#!/usr/bin/env bash
# Runs the client that uses Python's requests; install.sh installs what it needs.
set -euo pipefail
cd "$(dirname "$0")"
[ -d .venv ] || ./install.sh requests >&2
exec .venv/bin/python requests_client.py
