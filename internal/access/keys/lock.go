package keys

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

const (
	// lockSuffix names the lock file beside the keys file. It stays there: to remove it
	// would let two edits hold it at a time.
	lockSuffix = ".lock"
	// lockTimeout is how long an edit waits for those before it.
	lockTimeout = 30 * time.Second
	lockRetry   = 20 * time.Millisecond
)

// lock waits until no other process edits the file, which like describes where there is
// one. The system releases a lock when its process ends, however that ends.
func lock(file string, like fs.FileInfo) (release func(), err error) {
	name := file + lockSuffix
	if err := makeLock(name, like); err != nil {
		return nil, err
	}
	// A link could have the edit wait for a file of somebody else's choice.
	held := flock.New(name, flock.SetFlag(os.O_RDONLY|syscall.O_NOFOLLOW))
	ctx, cancel := context.WithTimeout(context.Background(), lockTimeout)
	defer cancel()
	if _, err := held.TryLockContext(ctx, lockRetry); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, fmt.Errorf("other edits hold %s since %v", name, lockTimeout)
		}
		return nil, fmt.Errorf("lock: %w", err)
	}
	return func() { _ = held.Unlock() }, nil // It was open for reading alone.
}

// makeLock makes the lock file unless it is there, for the users of the keys file.
func makeLock(name string, like fs.FileInfo) (err error) {
	made, err := os.OpenFile(name, os.O_RDONLY|os.O_CREATE|os.O_EXCL, newMode) //nolint:gosec // See read.
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make the lock file: %w", err)
	}
	defer func() { err = errors.Join(err, made.Close()) }()
	return resemble(made, like)
}

// owned is an open file that can be given an owner and a mode.
type owned interface {
	Chown(uid, gid int) error
	Chmod(mode fs.FileMode) error
	Stat() (fs.FileInfo, error)
}

// resemble gives a file the owner and mode of another, where there is another.
func resemble(file owned, like fs.FileInfo) error {
	if like == nil {
		return nil
	}
	now, err := file.Stat()
	if err != nil {
		return fmt.Errorf("look at the new file: %w", err)
	}
	uid, gid := ownerOf(like)
	if nowUID, nowGID := ownerOf(now); nowUID != uid || nowGID != gid {
		if err := file.Chown(uid, gid); err != nil {
			return fmt.Errorf("keep the owner, user %d and group %d (edit the file as that user): %w", uid, gid, err)
		}
	}
	if err := file.Chmod(like.Mode().Perm()); err != nil {
		return fmt.Errorf("keep the mode: %w", err)
	}
	return nil
}

func ownerOf(info fs.FileInfo) (uid, gid int) {
	if known, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(known.Uid), int(known.Gid)
	}
	return os.Geteuid(), os.Getegid()
}
