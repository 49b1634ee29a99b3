package main

import (
	"os"
	"path/filepath"
	"testing"
)

const (
	protoDir  = "../../proto"
	committed = "../../internal/schema/proto"
)

func TestCommittedFilesAreUpToDate(t *testing.T) {
	printed, err := plain(t.Context(), protoDir)
	if err != nil {
		t.Fatal(err)
	}
	for path, got := range printed {
		want, err := os.ReadFile(filepath.Join(committed, path))
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("internal/schema/proto/%s does not match the proto: run make generate", path)
		}
	}
	if _, found := printed["audian/conference/v2/participant_service.proto"]; !found || len(printed) != 4 {
		t.Errorf("printed %d files, including the service's: %t", len(printed), found)
	}
}

func TestGenerateWritesTheFiles(t *testing.T) {
	out := t.TempDir()
	if err := generate(t.Context(), protoDir, out); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(out, "google", "rpc", "status.proto")); err != nil {
		t.Error(err)
	}
	if err := generate(t.Context(), t.TempDir(), out); err == nil {
		t.Error("no error for a folder without the proto")
	}
}
