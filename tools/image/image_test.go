package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

var origin = release{version: "v1.2.3", revision: "0123abc", created: time.Date(2026, 11, 27, 1, 2, 3, 0, time.UTC)}

func mustAssemble(t *testing.T, binaries ...binary) v1.ImageIndex {
	t.Helper()
	index, err := assemble(origin, binaries)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func digest(t *testing.T, index v1.ImageIndex) string {
	t.Helper()
	hash, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return hash.String()
}

// platformImage returns the image of one architecture, found as an engine finds it: through the layout's index.
func platformImage(t *testing.T, index v1.ImageIndex, arch string) v1.Image {
	t.Helper()
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	images, err := index.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	platforms, err := images.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, descriptor := range platforms.Manifests {
		if descriptor.Platform.Architecture == arch && descriptor.Platform.OS == "linux" {
			image, err := images.Image(descriptor.Digest)
			if err != nil {
				t.Fatal(err)
			}
			return image
		}
	}
	t.Fatalf("the index has no image for %s", arch)
	return nil
}

func config(t *testing.T, image v1.Image) *v1.ConfigFile {
	t.Helper()
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestEqualInputsMakeEqualImages(t *testing.T) {
	first := digest(t, mustAssemble(t, binary{"amd64", []byte("a")}, binary{"arm64", []byte("b")}))
	if again := digest(t, mustAssemble(t, binary{"amd64", []byte("a")}, binary{"arm64", []byte("b")})); again != first {
		t.Errorf("equal inputs made %s and %s", first, again)
	}
	if other := digest(t, mustAssemble(t, binary{"amd64", []byte("a")}, binary{"arm64", []byte("c")})); other == first {
		t.Error("another binary made the same image")
	}
}

func TestALayoutReplacesTheEarlierOne(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "image")
	for _, content := range []string{"old", "new"} {
		if err := write(directory, mustAssemble(t, binary{"amd64", []byte(content)})); err != nil {
			t.Fatal(err)
		}
	}
	index, err := layout.ImageIndexFromPath(directory)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	if got, want := digest(t, index), digest(t, mustAssemble(t, binary{"amd64", []byte("new")})); got != want {
		t.Errorf("the layout has %s, want %s", got, want)
	}
}

func TestTheConfigurationOfAnImage(t *testing.T) {
	index := mustAssemble(t, binary{"amd64", nil}, binary{"arm64", nil})
	for _, arch := range []string{"amd64", "arm64"} {
		file := config(t, platformImage(t, index, arch))
		if file.Architecture != arch || file.OS != "linux" || !file.Created.Equal(origin.created) {
			t.Errorf("%s: made for %s %s at %v", arch, file.OS, file.Architecture, file.Created)
		}
		if file.Config.User != "65532:65532" {
			t.Errorf("%s: the user is %q", arch, file.Config.User)
		}
		labels := file.Config.Labels
		for label, want := range map[string]string{"version": "v1.2.3", "revision": "0123abc", "created": "2026-11-27T01:02:03Z"} {
			if got := labels["org.opencontainers.image."+label]; got != want {
				t.Errorf("%s: label %s is %q, want %q", arch, label, got, want)
			}
		}
		for _, variable := range []string{"GATEWAY_HTTP_ADDR=0.0.0.0:8080", "GATEWAY_GRPC_ADDR=0.0.0.0:9090", "GATEWAY_ADMIN_ADDR=0.0.0.0:9091"} {
			if !slices.Contains(file.Config.Env, variable) {
				t.Errorf("%s: the environment %q lacks %s", arch, file.Config.Env, variable)
			}
		}
	}
}

// TestTheRootFileSystemNeedsNoRoot also checks that nobody but root can change a file.
func TestTheRootFileSystemNeedsNoRoot(t *testing.T) {
	files := tar.NewReader(mutate.Extract(platformImage(t, mustAssemble(t, binary{"amd64", []byte("program")}), "amd64")))
	var names []string
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, header.Name)
		if header.Mode&0o7022 != 0 || header.Uid != 0 || header.Gid != 0 {
			t.Errorf("%s has mode %o, user %d, group %d", header.Name, header.Mode, header.Uid, header.Gid)
		}
	}
	slices.Sort(names)
	want := "etc etc/group etc/passwd etc/ssl etc/ssl/certs etc/ssl/certs/ca-certificates.crt participant-gateway"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("the image has %s, want %s", got, want)
	}
}

func TestAuthoritiesAreCertificates(t *testing.T) {
	text, err := authorities()
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			t.Error(err)
		}
		count++
	}
	if count < 50 || count != bytes.Count(text, []byte("BEGIN")) {
		t.Errorf("%d certificates", count)
	}
}

func TestABinaryOfAnotherKindIsRefused(t *testing.T) {
	shell, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ arch, path string }{
		{"amd64", script}, {"amd64", filepath.Join(t.TempDir(), "missing")}, {"amd64", shell}, {"arm64", shell}, {"mips", shell},
	} {
		if _, err := readStatic(test.arch, test.path); err == nil {
			t.Errorf("%s=%s: no error", test.arch, test.path)
		}
	}
}

// TestTheDockerfileHasTheSameConfiguration compares it with the configuration of our images.
func TestTheDockerfileHasTheSameConfiguration(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	config := origin.config()
	want := []string{
		"USER " + config.User, `ENTRYPOINT ["` + config.Entrypoint[0] + `"]`, "WORKDIR " + config.WorkingDir, "STOPSIGNAL " + config.StopSignal,
	}
	for _, variable := range config.Env {
		want = append(want, "ENV "+variable)
	}
	lines := strings.Split(string(text), "\n")
	for _, line := range want {
		if !slices.Contains(lines, line) {
			t.Errorf("the Dockerfile lacks %q", line)
		}
	}
}
