package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/access/keys"
)

func TestKeysAddPrintsOnlyTheKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	var stdout bytes.Buffer
	if err := editKeys([]string{"add", "--file", file, "--name", "desk", "--role", "writer"}, &stdout); err != nil {
		t.Fatal(err)
	}
	key, ended := strings.CutSuffix(stdout.String(), "\n")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := keys.Parse(content)
	if !ended || err != nil || len(entries) != 1 || entries[0].Hash != keys.HashOf(key) {
		t.Errorf("got %q, and in the file %+v, %v", &stdout, entries, err)
	}
	if bytes.Contains(content, []byte(key)) {
		t.Errorf("the file contains the key:\n%s", content)
	}
}

// closed is a closed standard output.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAPrintErrorNamesTheCaller(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	err := editKeys([]string{"add", "--file", file, "--name", "desk", "--role", "writer"}, closed{})
	if !errors.Is(err, io.ErrClosedPipe) || !strings.Contains(err.Error(), `the key of "desk", which is lost`) {
		t.Errorf("got %v", err)
	}
}

func TestExitCodesOfKeys(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	for _, test := range []struct {
		line string
		want int
	}{
		{"add --file FILE --name desk --role reader --conference conf_a --conference conf_b", 0},
		{"add --file FILE --name hall --role viewer", 0},
		{"add --file FILE --name desk --role reader", 1},
		{"add --file FILE --name desk --role Viewer", 2},
		{"add --file FILE --name desk", 2},
		{"add --file FILE --name a/b --role reader", 2},
		{"add --file FILE --name wall --role reader --conference ..", 2},
		{"add --file FILE/none --name wall --role reader", 1},
		{"add --file FILE --name sales --role writer --allow-prefix +1 --allow-prefix +44 --adds-per-day 500", 0},
		{"add --file FILE --name wall --role writer --allow-prefix 44", 2},
		{"add --file FILE --name wall --role writer --allow-prefix +1,+4x", 2},
		{"add --file FILE --name wall --role writer --allow-prefix=", 2},
		{"add --file FILE --name wall --role writer --adds-per-day 0", 2},
		{"add --file FILE --name wall --role writer --adds-per-day -1", 2},
		{"add --file FILE --name wall --role writer --adds-per-day many", 2},
		{"revoke --file FILE --name wall", 1},
		{"revoke --file FILE --name desk", 0},
		{"revoke --name desk", 2},
		{"", 2},
	} {
		err := editKeys(strings.Fields(strings.ReplaceAll(test.line, "FILE", file)), io.Discard)
		if got := exitCode(err); got != test.want {
			t.Errorf("keys %s: exit code %d (%v), want %d", test.line, got, err, test.want)
		}
	}
}
