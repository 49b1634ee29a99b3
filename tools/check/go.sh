#!/bin/sh
# Fails, with one line that says what to do, if Go is missing, or older than go.mod asks for and not
# allowed to download a newer Go. GO is the command of Go.
set -eu
go=${GO:-go}
required=$(sed -n 's/^go //p' go.mod)
fail() {
	echo "$1: install Go $required or newer from https://go.dev/dl/" >&2
	exit 1
}

command -v "$go" >/dev/null || fail "the command $go is not installed"
cd / # In the module an old Go would download another one, or fail.
installed=$(GOTOOLCHAIN=local "$go" env GOVERSION)
case $installed in
devel*) exit 0 ;;
esac
printf '%s\n%s\n' "$required" "${installed#go}" | sort -C -V && exit 0
toolchain=$("$go" env GOTOOLCHAIN)
case $toolchain in
*auto | *path) exit 0 ;; # It gets the newer Go by itself.
'') fail "$go is $installed, which is too old" ;;
*) fail "$go is $installed, which is too old, and GOTOOLCHAIN=$toolchain keeps it" ;;
esac
