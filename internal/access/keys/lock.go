package keys

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"
)

const (
	// lockSuffix names the lock file beside the keys file. The lock file stays there:
	// without it two edits could hold two locks of the same name.
	lockSuffix = ".lock"
	// lockTimeout is how long an edit waits for other edits.
	lockTimeout = 30 * time.Second
	lockRetry   = 20 * time.Millisecond
)

// lock waits until no other process edits the file. info describes the file, nil if it
// does not exist. The operating system releases the lock of a process that crashes.
func lock(file string, info fs.FileInfo) (release func(), err error) {
	name := file + lockSuffix
	if err := createLock(name, info); err != nil {
		return nil, err
	}
	// Through a symbolic link an attacker could make the edit wait for another file.
	held := flock.New(name, flock.SetFlag(os.O_RDONLY|noFollow))
	ctx, cancel := context.WithTimeout(context.Background(), lockTimeout)
	defer cancel()
	if _, err := held.TryLockContext(ctx, lockRetry); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, fmt.Errorf("another edit has held %s for %v", name, lockTimeout)
		}
		return nil, fmt.Errorf("lock: %w", err)
	}
	return func() { _ = held.Unlock() }, nil // It was only open for reading.
}

// createLock creates the lock file unless it exists, with the owner and mode of the keys file.
func createLock(name string, info fs.FileInfo) (err error) {
	created, err := os.OpenFile(name, os.O_RDONLY|os.O_CREATE|os.O_EXCL, newMode) //nolint:gosec // The operator chooses the file.
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("create the lock file: %w", err)
	}
	defer func() { err = errors.Join(err, created.Close()) }()
	return copyOwnerAndMode(created, info)
}
