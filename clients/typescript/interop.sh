#!/bin/sh
# The conformance program: commands on standard input, states and results on standard output.
exec node "$(dirname "$0")/dist/interop/main.js" "$@"
