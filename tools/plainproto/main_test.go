package main

import (
	"os"
	"path/filepath"
	"testing"
)

const protoDir = "../../proto"

func TestTheCommittedProtoIsTheServices(t *testing.T) {
	want, err := os.ReadFile("../../internal/schema/participant_service.proto")
	if err != nil {
		t.Fatal(err)
	}
	got, err := plain(t.Context(), protoDir)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Error("internal/schema/participant_service.proto is not what the proto says: run make generate")
	}
}

func TestGenerateWritesTheProto(t *testing.T) {
	out := filepath.Join(t.TempDir(), "plain.proto")
	if err := generate(t.Context(), protoDir, out); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(out); err != nil {
		t.Error(err)
	}
	if err := generate(t.Context(), t.TempDir(), out); err == nil {
		t.Error("a folder without the proto gave one")
	}
}
