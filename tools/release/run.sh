#!/usr/bin/env bash
# Makes the files of a release in bin/release: static binaries for PLATFORMS, the container image, an SBOM, the section of the
# changelog, and checksums. It builds each binary twice, in different directories with different caches, and fails if they differ.
# make release sets VERSION, COMMIT, DATE, BUILD (the command that builds) and PLATFORMS.
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() { echo "release: $*" >&2; exit 1; }

git diff --quiet HEAD || fail "the tree has changes that are not committed"

out=$PWD/bin/release
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
rm -rf "$out"
mkdir -p "$out" "$work/source"
git archive HEAD | tar x -C "$work/source"

# build DIRECTORY PLATFORM FILE builds the gateway.
build() { (cd "$1" && GOOS=${2%/*} GOARCH=${2#*/} bash -c "$BUILD -o '$3' ./cmd/server"); }

for platform in $PLATFORMS; do
	name=participant-gateway-$VERSION-${platform/\//-}
	[[ $platform == windows/* ]] && name+=.exe
	build . "$platform" "$out/$name"
	GOCACHE=$work/cache build "$work/source" "$platform" "$work/again"
	cmp "$out/$name" "$work/again" || fail "$platform: two builds differ"
	echo "$name: two builds are equal"
done

archs=()
for arch in amd64 arm64; do
	binary=$out/participant-gateway-$VERSION-linux-$arch
	[[ -e $binary ]] && archs+=("$arch=$binary")
done
((${#archs[@]})) || fail "PLATFORMS has no Linux: the image and the SBOM need one"
"$GO" run -C tools/image . -out "$work/image" -version "$VERSION" -revision "$COMMIT" -created "$DATE" "${archs[@]}"
tar --create --file "$out/participant-gateway-$VERSION-image.tar" --directory "$work/image" \
	--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX .

sbom=$out/participant-gateway-$VERSION.cdx.json
"$GO" tool -modfile=tools/sbom/go.mod cyclonedx-gomod bin -json -noserial -notimestamp -std -version "$VERSION" -output "$sbom" "${archs[0]#*=}" 2>"$work/log" \
	|| { cat "$work/log" >&2; fail "the SBOM cannot be made"; }

# The notes of a tagged version are its section; others are what is not released yet.
section=Unreleased
[[ $(git describe --tags --exact-match 2>/dev/null) == "$VERSION" ]] && section=${VERSION#v}
notes=$out/NOTES.md
awk -v start="## [$section]" 'index($0, "## [") == 1 { inside = index($0, start) == 1; next } inside' CHANGELOG.md | sed '/./,$!d' >"$notes"
[[ -s $notes ]] || fail "CHANGELOG.md has no section [$section]"

(cd "$out" && sha256sum -- * >SHA256SUMS)
echo "bin/release:"
cat "$out/SHA256SUMS"
