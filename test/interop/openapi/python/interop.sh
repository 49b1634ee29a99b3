#!/usr/bin/env bash
# Runs the program with the client that build.sh generated.
here=$(dirname "$0")
built=$here/../../../../bin/interop/openapi
PYTHONPATH=$built/python/client PYTHONDONTWRITEBYTECODE=1 exec "$built/tools/venv/bin/python" "$here/interop.py"
