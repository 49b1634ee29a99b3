package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestTableOfOneRound measures a case of each kind once, with few subscribers and calls, and one
// with profiles.
func TestTableOfOneRound(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the harness reads /proc")
	}
	dir := t.TempDir()
	build(t, dir, "server", "../../../cmd/server")
	build(t, dir, "load", ".")
	b := &bench{
		settings: settings{
			gateway: filepath.Join(dir, "server"), subscribers: 4, textBytes: 300, messageBytes: 300,
			events: 20, calls: 50, lists: 10, polls: 20, seconds: 0.05, warmUp: 50 * time.Millisecond,
		},
		self: filepath.Join(dir, "load"),
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	if err := b.startUpstream(ctx); err != nil {
		t.Fatal(err)
	}
	defer b.stop()
	scenarios := b.scenarios(regexp.MustCompile("HTTP|100 on a connection|List of 1 participant|poll|start"))
	if err := b.round(ctx, 0, scenarios); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := printTable(&text, scenarios); err != nil {
		t.Fatal(err)
	}
	t.Log(text.String())

	b.profiles = t.TempDir()
	profiled := b.scenarios(regexp.MustCompile("100 on a connection"))
	if err := b.round(ctx, 0, profiled); err != nil {
		t.Fatal(err)
	}
	text.Reset()
	if err := saveProfiles(b.profiles, profiled, &text); err != nil {
		t.Fatal(err)
	}
	if want := "| gRPC stream, 100 on a connection | gateway | grpc-go, encoded once |"; !strings.Contains(text.String(), want) {
		t.Errorf("the profiles lack %q:\n%s", want, &text)
	}
	if files, err := filepath.Glob(b.profiles + "/gRPC-stream--100-on-a-connection-*.pprof"); len(files) != 2 {
		t.Errorf("profiles: %v, %v", files, err)
	}
}

func build(t *testing.T, dir, name, pkg string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, name), pkg)
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		t.Fatal(err)
	}
}
