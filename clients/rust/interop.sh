#!/bin/sh
# Runs the program of the conformance suite. `make` builds it.
exec "$(dirname "$0")/target/debug/examples/interop"
