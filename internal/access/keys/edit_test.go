package keys_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/audian/participant-gateway/internal/access/keys"
)

func entry(t *testing.T, name, role string, conferences ...string) keys.Entry {
	t.Helper()
	made, err := keys.NewEntry(name, role, conferences)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func add(t *testing.T, file, name, role string, conferences ...string) (key string) {
	t.Helper()
	key, err := keys.Add(file, entry(t, name, role, conferences...))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func content(t *testing.T, file string) string {
	t.Helper()
	read, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(read)
}

func TestAddAndRevoke(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	desk := add(t, file, "desk", "writer")
	wall := add(t, file, "wall", "reader", "conf_a", "conf_b")
	if desk == wall || len(desk) < 43 || !strings.HasPrefix(desk, "pgk_") {
		t.Errorf("keys %q and %q", desk, wall)
	}
	text := content(t, file)
	if strings.Contains(text, desk) || strings.Contains(text, wall) {
		t.Errorf("the file contains a key:\n%s", text)
	}
	entries, err := keys.Parse([]byte(text))
	if err != nil || len(entries) != 2 || entries[0].Hash != keys.HashOf(desk) || len(entries[1].Rights.Conferences) != 2 {
		t.Fatalf("got %+v, %v", entries, err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v: want 0600", info.Mode(), err)
	}
	if err := keys.Revoke(file, "desk"); err != nil {
		t.Fatal(err)
	}
	if got := content(t, file); strings.Contains(got, "desk") || !strings.Contains(got, "wall reader conf_a,conf_b sha256:") {
		t.Errorf("after desk was revoked:\n%s", got)
	}
}

func TestAFailedEditChangesNothing(t *testing.T) {
	folder := t.TempDir()
	file, broken := filepath.Join(folder, "keys"), filepath.Join(folder, "broken")
	add(t, file, "desk", "writer")
	if err := os.WriteFile(broken, []byte("junk\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := content(t, file)
	for want, edit := range map[string]func() error{
		`"desk" already has a key`:        func() error { _, err := keys.Add(file, entry(t, "desk", "reader")); return err },
		`no caller is named "wall"`:       func() error { return keys.Revoke(file, "wall") },
		`line 1: want`:                    func() error { _, err := keys.Add(broken, entry(t, "wall", "reader")); return err },
		`none: no such file or directory`: func() error { return keys.Revoke(filepath.Join(folder, "none"), "wall") },
		`create the lock file: `: func() error {
			_, err := keys.Add(filepath.Join(folder, "none", "keys"), entry(t, "wall", "reader"))
			return err
		},
	} {
		if err := edit(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if content(t, file) != before || content(t, broken) != "junk\n" {
		t.Error("a file changed")
	}
	if left := filesIn(t, folder); !slices.Equal(left, []string{"broken", "broken.lock", "keys", "keys.lock"}) {
		t.Errorf("left behind: %v", left)
	}
}

func TestRevokeKeepsOtherLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	kept := header + "# desk is at the entrance\n\n" + "wall reader * " + hashB + "\n"
	if err := os.WriteFile(file, []byte(kept+"desk writer * "+hashA+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := keys.Revoke(file, "#"); err == nil {
		t.Error("a comment was removed like a caller")
	}
	if err := keys.Revoke(file, "desk"); err != nil {
		t.Fatal(err)
	}
	if got := content(t, file); got != kept {
		t.Errorf("got %q, want %q", got, kept)
	}
}

// filesIn returns the names of the files in a folder.
func filesIn(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// perProcess is how many callers each process adds; it then revokes the first.
const perProcess = 5

// TestEditsOfOneProcess runs in each process that TestEditsOfSeveralProcessesLoseNothing
// starts, with a file and a name as arguments.
func TestEditsOfOneProcess(t *testing.T) {
	file, name := filepath.Join(t.TempDir(), "keys"), "caller"
	if flag.NArg() == 2 {
		file, name = flag.Arg(0), flag.Arg(1)
	}
	for number := range perProcess {
		add(t, file, fmt.Sprintf("%s-%d", name, number), "reader")
	}
	if err := keys.Revoke(file, name+"-0"); err != nil {
		t.Error(err)
	}
}

func TestEditsOfSeveralProcessesLoseNothing(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "keys")
	const processes = 12
	var editing sync.WaitGroup
	for process := range processes {
		editing.Go(func() {
			edit := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestEditsOfOneProcess$", file, fmt.Sprintf("caller-%d", process))
			if output, err := edit.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, output)
			}
		})
	}
	editing.Wait()
	entries, err := keys.Parse([]byte(content(t, file)))
	if want := processes * (perProcess - 1); err != nil || len(entries) != want {
		t.Errorf("got %d callers, %v, want %d", len(entries), err, want)
	}
	if left := filesIn(t, folder); !slices.Equal(left, []string{"keys", "keys.lock"}) {
		t.Errorf("left behind: %v", left)
	}
}

// A crashed edit leaves a lock file and a temporary file, earlier versions one named .new.
func TestACrashedEditDoesNotBlockOthers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	add(t, file, "desk", "writer")
	for _, left := range []string{file + ".lock", file + ".new", filepath.Join(filepath.Dir(file), ".keys1234")} {
		if err := os.WriteFile(left, []byte("junk"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	add(t, file, "wall", "reader")
	if entries, err := keys.Parse([]byte(content(t, file))); err != nil || len(entries) != 2 {
		t.Errorf("got %v, %v", entries, err)
	}
}

func TestAnEditFollowsASymbolicLink(t *testing.T) {
	folder := t.TempDir()
	target, link := filepath.Join(folder, "target"), filepath.Join(folder, "link")
	add(t, target, "desk", "writer")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	add(t, link, "wall", "reader")
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info, err)
	}
	if !strings.Contains(content(t, target), "wall") {
		t.Error("the target did not change")
	}
}
