package keys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Add gives a caller a new key, whose hash it puts into the file; a file that is not
// there is made. The key is returned, and nowhere else.
func Add(file string, entry Entry) (key string, err error) {
	key = newKey()
	entry.Hash = HashOf(key)
	err = edit(file, func(content string) (string, error) {
		if content == "" {
			content = header + "\n# name role conferences hash\n"
		}
		entries, err := Parse([]byte(content))
		if err != nil {
			return "", err
		}
		if slices.ContainsFunc(entries, func(one Entry) bool { return one.Name == entry.Name }) {
			return "", fmt.Errorf("%q has a key already: revoke it first, or take another name", entry.Name)
		}
		return content + entry.line() + "\n", nil
	})
	if err != nil {
		return "", err
	}
	return key, nil
}

// Revoke takes a caller's key away. Comments and other lines stay as they are.
func Revoke(file, name string) error {
	return edit(file, func(content string) (string, error) {
		if content == "" {
			return "", errors.New("there is no such file, or nothing in it")
		}
		if _, err := Parse([]byte(content)); err != nil {
			return "", err
		}
		lines := strings.SplitAfter(content, "\n")
		at := slices.IndexFunc(lines, func(line string) bool {
			return !isBlank(line) && line != lines[0] && strings.Fields(line)[0] == name
		})
		if at < 0 {
			return "", fmt.Errorf("nobody is named %q", name)
		}
		return strings.Join(slices.Delete(lines, at, at+1), ""), nil
	})
}

// edit changes a file as a whole: whoever reads it meanwhile reads what was before, or
// what is after.
func edit(file string, change func(content string) (string, error)) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("edit %s: %w", file, err)
		}
	}()
	if target, err := filepath.EvalSymlinks(file); err == nil {
		// The link stays, and what it points to is replaced.
		file = target
	}
	draft, err := openDraft(file + ".new")
	if err != nil {
		return err
	}
	// Once the draft is in the file's place this finds nothing.
	defer func() { _ = os.Remove(draft.Name()) }()
	if err := write(draft, file, change); err != nil {
		return err
	}
	if err := os.Rename(draft.Name(), file); err != nil {
		return fmt.Errorf("put the new file in its place: %w", err)
	}
	return nil
}

// An edit waits for another one no longer than this.
const (
	patience = 3 * time.Second
	pause    = 20 * time.Millisecond
)

// openDraft makes the file that is to take the place of the old one. It is the lock
// too: of two edits at a time the second waits, and then reads what the first wrote.
func openDraft(name string) (*os.File, error) {
	for waited := time.Duration(0); ; waited += pause {
		draft, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // See read.
		if err == nil {
			return draft, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err //nolint:wrapcheck // It names the file and the failure.
		}
		if waited >= patience {
			return nil, fmt.Errorf("another edit is under way; if none is, it was cut off: remove %s", name)
		}
		<-time.After(pause)
	}
}

// write fills the draft with what the file is to hold, and closes it.
func write(draft *os.File, file string, change func(string) (string, error)) (err error) {
	defer func() { err = errors.Join(err, draft.Close()) }()
	before, err := read(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	after, err := change(string(before))
	if err != nil {
		return err
	}
	if len(after) > maxSize {
		return fmt.Errorf("the file would be longer than %d bytes", maxSize)
	}
	if _, err := draft.WriteString(after); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if err := draft.Sync(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
