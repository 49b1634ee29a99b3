package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryMutantApplies fails when a rule's code changed and its mutant did not.
func TestEveryMutantApplies(t *testing.T) {
	t.Chdir("../..")
	for _, m := range allMutants() {
		if _, err := m.overlay(t.TempDir()); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		if len(m.Tests) == 0 || m.Old == m.New {
			t.Errorf("%s changes nothing or has no tests", m.Name)
		}
	}
}

func TestOverlay_OldTextMustOccurOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "source.go")
	if err := os.WriteFile(file, []byte("a b b"), 0o600); err != nil {
		t.Fatal(err)
	}
	for old, want := range map[string]string{"c": "0 times", "b": "2 times"} {
		_, err := mutant{File: file, Old: old}.overlay(t.TempDir())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("old text %q: got %v", old, err)
		}
	}
	if _, err := (mutant{File: file, Old: "a"}).overlay(t.TempDir()); err != nil {
		t.Error(err)
	}
}
