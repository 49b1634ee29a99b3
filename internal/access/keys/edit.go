package keys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
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
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("edit the keys file: %w", err)
	}
	return edit(file, func(content string) (string, error) {
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

// newMode is the mode of a file that is made; one that was there keeps its own.
const newMode = 0o600

// edit changes a file as a whole: a reader sees the file as it was before, or as it is
// after. Edits of several processes come one after the other, and the file keeps
// its owner and mode; where one of that cannot be, nothing changes.
func edit(file string, change func(content string) (string, error)) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("edit %s: %w", file, err)
		}
	}()
	target, before, err := resolve(file)
	if err != nil {
		return err
	}
	release, err := lock(target, before)
	if err != nil {
		return err
	}
	defer release()
	content, err := read(target)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	after, err := change(string(content))
	if err != nil {
		return err
	}
	if len(after) > maxSize {
		return fmt.Errorf("the file would be longer than %d bytes", maxSize)
	}
	return replace(target, after)
}

// resolve follows links: they stay, and what they lead to is edited. The info is nil
// where there is no file yet.
func resolve(file string) (target string, info fs.FileInfo, err error) {
	if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
		return file, nil, nil
	}
	target, err = filepath.EvalSymlinks(file)
	if err != nil {
		return "", nil, err //nolint:wrapcheck // It names the file and the failure.
	}
	info, err = os.Stat(target)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file")
	}
	return target, info, err
}

// replace puts a file with this content in the place of another, by way of a draft beside
// it. The lock is held.
func replace(file, content string) error {
	before, err := os.Stat(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err //nolint:wrapcheck // It names the file and the failure.
	}
	draft, err := renameio.NewPendingFile(file, renameio.WithTempDir(filepath.Dir(file)), renameio.WithPermissions(newMode))
	if err != nil {
		return fmt.Errorf("make a draft: %w", err)
	}
	// Once the draft is in the file's place there is nothing to clean up.
	defer func() { _ = draft.Cleanup() }()
	if err := resemble(draft, before); err != nil {
		return err
	}
	if _, err := draft.WriteString(content); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if err := draft.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("put the new file in its place: %w", err)
	}
	return nil
}
