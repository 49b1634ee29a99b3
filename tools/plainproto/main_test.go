package main

import (
	"os"
	"path/filepath"
	"testing"
)

const (
	protoDir  = "../../proto"
	committed = "../../gen/plainproto"
)

func TestCommittedFileIsUpToDate(t *testing.T) {
	path, got, err := plain(t.Context(), protoDir)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(committed, path))
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("gen/plainproto/%s does not match the proto: run make generate", path)
	}
	if path != "audian/conference/v2/participant_service.proto" {
		t.Errorf("printed %s", path)
	}
}

func TestGenerateWritesTheFiles(t *testing.T) {
	out := t.TempDir()
	if err := generate(t.Context(), protoDir, out); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"plainproto.go", "audian/conference/v2/participant_service.proto"} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
	if err := generate(t.Context(), t.TempDir(), out); err == nil {
		t.Error("no error for a folder without the proto")
	}
}
