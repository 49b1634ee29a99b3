#!/bin/sh
# Runs the conformance program. `make` builds it.
exec "$(dirname "$0")/build/plain/interop" "$@"
