package keys_test

import (
	"os"
	"path/filepath"
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
		t.Errorf("the file holds a key:\n%s", text)
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

func TestAnEditThatFailsChangesNothing(t *testing.T) {
	folder := t.TempDir()
	file, broken := filepath.Join(folder, "keys"), filepath.Join(folder, "broken")
	add(t, file, "desk", "writer")
	if err := os.WriteFile(broken, []byte("junk\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := content(t, file)
	for want, edit := range map[string]func() error{
		`"desk" has a key already`: func() error { _, err := keys.Add(file, entry(t, "desk", "reader")); return err },
		`nobody is named "wall"`:   func() error { return keys.Revoke(file, "wall") },
		`line 1: want`:             func() error { _, err := keys.Add(broken, entry(t, "wall", "reader")); return err },
		`there is no such file`:    func() error { return keys.Revoke(filepath.Join(folder, "none"), "wall") },
		`no such file or directory`: func() error {
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
	if left, _ := filepath.Glob(filepath.Join(folder, "*.new")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestRevokeLeavesTheRest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	kept := header + "# desk is by the door\n\n" + "wall reader * " + hashB + "\n"
	if err := os.WriteFile(file, []byte(kept+"desk writer * "+hashA+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := keys.Revoke(file, "#"); err == nil {
		t.Error("a comment was taken for a caller")
	}
	if err := keys.Revoke(file, "desk"); err != nil {
		t.Fatal(err)
	}
	if got := content(t, file); got != kept {
		t.Errorf("got %q, want %q", got, kept)
	}
}

func TestEditsAtATimeLoseNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	var adding sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		adding.Go(func() {
			if _, err := keys.Add(file, entry(t, name, "reader")); err != nil {
				t.Error(err)
			}
		})
	}
	adding.Wait()
	if entries, err := keys.Parse([]byte(content(t, file))); err != nil || len(entries) != 6 {
		t.Errorf("got %d callers, %v", len(entries), err)
	}
}

func TestAnEditFollowsALink(t *testing.T) {
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
