package keys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// noFollow has no equivalent in the flags of os.OpenFile.
const noFollow = 0

// replace replaces a file by one with this content. The new file inherits its owner and
// access rules from the folder. The lock is held.
func replace(file, content string, _ fs.FileInfo) error {
	draft, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file))
	if err != nil {
		return fmt.Errorf("create a temporary file: %w", err)
	}
	// After the rename there is nothing to remove.
	defer func() { _ = os.Remove(draft.Name()) }()
	_, err = draft.WriteString(content)
	if err := errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if err := os.Rename(draft.Name(), file); err != nil {
		return fmt.Errorf("rename the temporary file: %w", err)
	}
	return nil
}

// copyOwnerAndMode does nothing: see replace.
func copyOwnerAndMode(*os.File, fs.FileInfo) error { return nil }
