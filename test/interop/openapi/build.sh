#!/usr/bin/env bash
# Generates clients from the OpenAPI document, and compiles each with its program of the conformance test:
#   test/interop/openapi/build.sh go|java|rust|python|typescript ...
# The results are in bin/interop/openapi/LANGUAGE. Tools at pinned versions and downloads are kept in
# bin/interop/openapi/tools. What is up to date is not built again.
set -euo pipefail
cd "$(dirname "$0")/../../.."

document=$PWD/gen/openapi/openapi.json
here=$PWD/test/interop/openapi
out=$PWD/bin/interop/openapi
tools=$out/tools

# install NAME FILE COMMAND... runs the command, which installs a tool, unless this was done with this file
# of pinned versions. Builds at the same time wait for each other.
install() {
	local stamp=$tools/$1.pins pins=$2
	shift 2
	mkdir -p "$tools"
	(
		flock 9
		cmp -s "$pins" "$stamp" && exit
		"$@"
		cp "$pins" "$stamp"
	) 9>"$stamp.lock"
}

install_generator() {
	rm -rf "$tools/venv"
	python3 -m venv "$tools/venv"
	"$tools/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$here/requirements.txt"
}

install_typescript() { npm ci --silent --no-audit --no-fund --prefix "$tools/typescript"; }

# generate GENERATOR generates the client of the language into $target/client.
generate() {
	install generator "$here/requirements.txt" install_generator
	local jar
	jar=$(echo "$tools"/venv/lib/python*/site-packages/openapi_generator_cli/openapi-generator.jar)
	java -XX:TieredStopAtLevel=1 -jar "$jar" generate --generator-name "$1" --input-spec "$document" \
		--output "$target/client" >"$target/generate.log" 2>&1 || { cat "$target/generate.log" >&2; return 1; }
}

# copy_program puts the program beside the client.
copy_program() { cp -R "$here/$language" "$target/program"; }

build_go() {
	generate go
	copy_program
	(cd "$target/program" && GOWORK=off ${GO:-go} build -mod=mod -o ../interop .)
}

build_java() {
	generate java
	mvn --batch-mode --quiet --file "$target/client/pom.xml" -Dmaven.repo.local="$tools/maven" \
		org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
		-DincludeScope=compile -DoutputDirectory="$target/jars"
	find "$target/client/src/main/java" "$here/java" -name '*.java' >"$target/sources"
	javac -nowarn -proc:none -cp "$target/jars/*" -d "$target/classes" @"$target/sources"
}

build_rust() {
	generate rust
	copy_program
	(cd "$target/program" && CARGO_HOME=$tools/cargo CARGO_TARGET_DIR=$tools/target cargo build --quiet --locked)
	cp "$tools/target/debug/interop" "$target/interop"
}

build_python() { generate python; }

build_typescript() {
	generate typescript-fetch
	copy_program
	mkdir -p "$tools/typescript"
	cp "$here"/typescript/package*.json "$tools/typescript/"
	install typescript "$here/typescript/package-lock.json" install_typescript
	(cd "$target/program" && node "$tools/typescript/node_modules/typescript/bin/tsc")
}

# sources prints everything that a build depends on.
sources() { cat "$document" "$here/build.sh" "$here/requirements.txt" $(find "$here/$language" -type f | sort); }

for language in "$@"; do
	target=$out/$language
	sources | cmp -s - "$target/sources.all" && continue
	rm -rf "$target"
	mkdir -p "$target"
	"build_$language"
	sources >"$target/sources.all"
done
