#!/bin/sh
# Runs the program of the conformance suite.
cd "$(dirname "$0")" || exit
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "target/classes:target/test-classes:$(cat target/classpath)" com.audian.conference.interop.Interop "$@"
