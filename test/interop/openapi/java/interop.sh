#!/usr/bin/env bash
# Runs the program that build.sh compiled.
built=$(dirname "$0")/../../../../bin/interop/openapi/java
exec java -XX:TieredStopAtLevel=1 -cp "$built/classes:$built/jars/*" Interop
