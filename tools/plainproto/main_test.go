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

func TestTheCommittedFilesAreTheServices(t *testing.T) {
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
			t.Errorf("internal/schema/proto/%s is not what the proto says: run make generate", path)
		}
	}
	if _, found := printed["audian/conference/v2/participant_service.proto"]; !found || len(printed) != 4 {
		t.Errorf("%d files were printed, the service's own among them: %t", len(printed), found)
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
		t.Error("a folder without the proto gave files")
	}
}
