#!/bin/sh
# Runs the conformance program: JSON commands on stdin, JSON lines on stdout. --asyncio selects the asyncio client.
cd "$(dirname "$0")" || exit 1
exec .venv/bin/python -m interop "$@"
