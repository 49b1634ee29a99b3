#!/usr/bin/env bash
# Checks the files that make release made: the checksums, what the binary says of itself, that it is static, that the SBOM has the
# modules of the binary, and that the notes are a part of the changelog.
set -euo pipefail
cd "$(dirname "$0")/../../bin/release"

fail() { echo "release: $*" >&2; exit 1; }

sha256sum --check --quiet SHA256SUMS
[[ $(find . -type f ! -name SHA256SUMS | wc -l) == "$(wc -l <SHA256SUMS)" ]] || fail "SHA256SUMS does not name each file once"

binary=$(ls participant-gateway-*-linux-*)
commit=$(git rev-parse HEAD)
date=$(TZ=UTC0 git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd)
version=${binary#participant-gateway-}
version=${version%-linux-*}
says=$("./$binary" --version)
[[ $says == "participant-gateway $version (commit $commit, $date, go"*")" ]] || fail "--version says: $says"

sbom=participant-gateway-$version.cdx.json
modules() { go version -m "$binary" | awk '$1 == "dep" { print $2 }' | sort; }
diff <(modules) <(jq -r '.components[] | select(.name != "std") | .name' "$sbom" | sort) || fail "the SBOM differs from the binary"
[[ $(jq -r '.bomFormat + " " + .metadata.component.version' "$sbom") == "CycloneDX $version" ]] || fail "the SBOM is of something else"

while IFS= read -r line; do
	[[ -z $line ]] || grep -qxF -- "$line" ../../CHANGELOG.md || fail "the notes are not in the changelog: $line"
done <NOTES.md

tar --list --file "participant-gateway-$version-image.tar" ./index.json ./oci-layout >/dev/null
echo "release $version: checksums, version, SBOM, notes and image are right"
