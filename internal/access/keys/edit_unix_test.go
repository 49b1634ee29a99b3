//go:build !windows

package keys_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/audian/participant-gateway/internal/access/keys"
)

// ownerAndMode returns the owner and mode of a file.
func ownerAndMode(t *testing.T, file string) string {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("%d:%d %v", owner.Uid, owner.Gid, info.Mode())
}

func TestAnEditKeepsOwnerAndMode(t *testing.T) {
	for _, mode := range []os.FileMode{0o600, 0o640, 0o660, 0o444} {
		folder := t.TempDir()
		file, link := filepath.Join(folder, "keys"), filepath.Join(folder, "link")
		add(t, file, "desk", "writer")
		if os.Geteuid() == 0 { // Other users cannot change the owner.
			if err := os.Chown(file, 12345, 12346); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(os.Chmod(file, mode), os.Symlink(file, link), os.Remove(file+".lock")); err != nil {
			t.Fatal(err)
		}
		before := ownerAndMode(t, file)
		for name, edit := range map[string]func() error{
			"add":                    func() error { _, err := keys.Add(file, entry(t, "wall", "reader")); return err },
			"add, through a link":    func() error { _, err := keys.Add(link, entry(t, "hall", "reader")); return err },
			"revoke, through a link": func() error { return keys.Revoke(link, "desk") },
		} {
			if err := edit(); err != nil {
				t.Errorf("%v, %s: %v", mode, name, err)
			}
			if after := ownerAndMode(t, file); after != before {
				t.Errorf("%v, %s: got %s, want %s", mode, name, after, before)
			}
			if lock := ownerAndMode(t, file+".lock"); lock != before {
				t.Errorf("%v, %s: the lock file is %s, want %s", mode, name, lock, before)
			}
		}
	}
}

func TestOnlyRegularFilesAreReplaced(t *testing.T) {
	folder := t.TempDir()
	link := filepath.Join(folder, "link")
	if err := os.Symlink(filepath.Join(folder, "nowhere"), link); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(folder, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{folder, link, pipe} {
		before, err := os.Lstat(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keys.Add(file, entry(t, "desk", "reader")); err == nil {
			t.Errorf("%s: no error", file)
		}
		if after, err := os.Lstat(file); err != nil || after.Mode() != before.Mode() {
			t.Errorf("%s: it was replaced: %v, %v", file, after, err)
		}
	}
}
