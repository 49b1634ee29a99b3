#!/usr/bin/env bash
# Fails if OpenAPI Generator cannot make working clients from the document that the
# running gateway serves. In each of five languages it generates a client, compiles it, and
# uses it for a list, an add, a get, a mute, a refresh and a refused add. LANGUAGES selects
# some languages. With CI=true or INSTALL=1 it downloads missing tools, at pinned versions,
# into bin/openapi-clients.
set -euo pipefail
cd "$(dirname "$0")/../.."

here=$PWD/tools/check/openapi-clients
cache=$PWD/bin/openapi-clients
venv=$cache/venv
languages=${LANGUAGES:-go java rust python typescript}

skip() {
	echo "OpenAPI clients: SKIPPED: $1"
	exit 0
}

for command in go javac mvn cargo node npm python3; do
	command -v $command >/dev/null && continue
	[ "${CI:-}" = true ] && { echo "$command is not installed" >&2; exit 1; }
	skip "$command is not installed"
done

# pins prints all files that pin versions.
pins() { cat "$here"/requirements.txt "$here"/rust/Cargo.lock "$here"/typescript/package.json; }

if ! pins | cmp -s - "$cache/pins"; then
	if [ "${CI:-}" != true ] && [ -z "${INSTALL:-}" ]; then
		skip "the tools are not installed ('make openapi-clients INSTALL=1' installs it into bin/openapi-clients)"
	fi
	rm -rf "$cache"
	mkdir -p "$cache/typescript"
	python3 -m venv "$venv"
	"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$here/requirements.txt"
	npm install --silent --no-audit --no-fund --no-package-lock --prefix "$cache/typescript" \
		"$(sed -n 's/.*"typescript": "\(.*\)".*/typescript@\1/p' "$here/typescript/package.json")"
	pins >"$cache/pins"
fi
jar=$(echo "$venv"/lib/python*/site-packages/openapi_generator_cli/openapi-generator.jar)

. tools/check/demo.sh
work=$(mktemp -d)
trap 'stop_demo; rm -rf "$work"' EXIT
start_demo "$work"

# generate LANGUAGE GENERATOR generates a client from the served document.
generate() {
	mkdir -p "$work/$1"
	java -XX:TieredStopAtLevel=1 -jar "$jar" generate --generator-name "$2" --input-spec "$url/openapi.json" \
		--output "$work/$1/client" >"$work/$1/generate.log" 2>&1 || { cat "$work/$1/generate.log" >&2; return 1; }
}

use_go() {
	generate go go
	cp -R "$here/go" "$work/go/program"
	(cd "$work/go/program" && GOWORK=off ${GO:-go} build -mod=mod -o client-check . && ./client-check "$url")
}

use_java() {
	generate java java
	local jars=$work/java/jars
	mvn --batch-mode --quiet --file "$work/java/client/pom.xml" -Dmaven.repo.local="$cache/maven" \
		org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
		-DincludeScope=compile -DoutputDirectory="$jars" >"$work/java/maven.log" 2>&1 || { cat "$work/java/maven.log" >&2; return 1; }
	find "$work/java/client/src/main/java" -name '*.java' >"$work/java/sources"
	javac -nowarn -proc:none -cp "$jars/*" -d "$work/java/classes" @"$work/java/sources" "$here/java/ClientCheck.java"
	java -ea -cp "$work/java/classes:$jars/*" ClientCheck "$url"
}

use_rust() {
	generate rust rust
	cp -R "$here/rust" "$work/rust/program"
	(cd "$work/rust/program" && CARGO_HOME=$cache/cargo CARGO_TARGET_DIR=$cache/target \
		cargo run --quiet --locked -- "$url")
}

use_python() {
	generate python python
	PYTHONPATH=$work/python/client PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" "$here/python/client_check.py" "$url"
}

use_typescript() {
	generate typescript typescript-fetch
	cp "$here"/typescript/* "$work/typescript/"
	(cd "$work/typescript" && node "$cache/typescript/node_modules/typescript/bin/tsc" && node out/client_check.js "$url")
}

failed=()
for language in $languages; do
	began=$SECONDS
	# The subshell sets errexit itself: bash ignores errexit in a condition.
	set +e
	(set -e; "use_$language") >"$work/output" 2>&1
	code=$?
	set -e
	printf '%-10s %s (%d s)\n' "$language" "$( ((code == 0)) && tail -1 "$work/output" || echo FAILED)" $((SECONDS - began))
	((code == 0)) || { failed+=("$language"); tail -n 40 "$work/output" >&2; }
done
if ((${#failed[@]})); then
	echo "OpenAPI clients: FAILED: ${failed[*]}" >&2
	exit 1
fi
