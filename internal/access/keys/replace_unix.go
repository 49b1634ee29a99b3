//go:build !windows

package keys

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/renameio/v2"
)

const noFollow = syscall.O_NOFOLLOW

// replace replaces a file atomically by one with this content, and with the owner and
// mode of info if it is not nil. The lock is held.
func replace(file, content string, info fs.FileInfo) error {
	draft, err := renameio.NewPendingFile(file, renameio.WithTempDir(filepath.Dir(file)), renameio.WithPermissions(newMode))
	if err != nil {
		return fmt.Errorf("create a temporary file: %w", err)
	}
	// Cleanup does nothing after CloseAtomicallyReplace.
	defer func() { _ = draft.Cleanup() }()
	if err := copyOwnerAndMode(draft, info); err != nil {
		return err
	}
	if _, err := draft.WriteString(content); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if err := draft.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("rename the temporary file: %w", err)
	}
	return nil
}

// ownedFile is an open file that can change its owner and mode.
type ownedFile interface {
	Chown(uid, gid int) error
	Chmod(mode fs.FileMode) error
	Stat() (fs.FileInfo, error)
}

// copyOwnerAndMode gives a file the owner and mode of info, if it is not nil.
func copyOwnerAndMode(file ownedFile, info fs.FileInfo) error {
	if info == nil {
		return nil
	}
	current, err := file.Stat()
	if err != nil {
		return fmt.Errorf("stat the new file: %w", err)
	}
	uid, gid := ownerOf(info)
	if currentUID, currentGID := ownerOf(current); currentUID != uid || currentGID != gid {
		if err := file.Chown(uid, gid); err != nil {
			return fmt.Errorf("keep the owner, user %d and group %d (edit the file as that user): %w", uid, gid, err)
		}
	}
	if err := file.Chmod(info.Mode().Perm()); err != nil {
		return fmt.Errorf("keep the mode: %w", err)
	}
	return nil
}

func ownerOf(info fs.FileInfo) (uid, gid int) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid), int(stat.Gid)
	}
	return os.Geteuid(), os.Getegid()
}
