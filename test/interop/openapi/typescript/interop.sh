#!/usr/bin/env bash
# Runs the program that build.sh compiled.
exec node "$(dirname "$0")/../../../../bin/interop/openapi/typescript/out/program/interop.js"
