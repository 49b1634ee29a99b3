#!/usr/bin/env bash
# Runs the program that build.sh compiled.
exec "$(dirname "$0")/../../../../bin/interop/openapi/go/interop"
