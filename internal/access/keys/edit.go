package keys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Add adds a caller with a new key to the file, which it creates if it does not exist. The
// file contains the hash of the key; the key itself is only returned.
func Add(file string, entry Entry) (key string, err error) {
	key = newKey()
	entry.Hash = HashOf(key)
	err = edit(file, func(content string) (string, error) {
		if content == "" {
			content = header + "\n# name role conferences hash options\n"
		}
		entries, err := Parse([]byte(content))
		if err != nil {
			return "", err
		}
		if slices.ContainsFunc(entries, func(other Entry) bool { return other.Name == entry.Name }) {
			return "", fmt.Errorf("%q already has a key: revoke it first, or use another name", entry.Name)
		}
		return content + entry.line() + "\n", nil
	})
	if err != nil {
		return "", err
	}
	return key, nil
}

// Revoke removes a caller from the file. Comments and other lines do not change.
func Revoke(file, name string) error {
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("edit the keys file: %w", err)
	}
	return edit(file, func(content string) (string, error) {
		if _, err := Parse([]byte(content)); err != nil {
			return "", err
		}
		lines := strings.SplitAfter(content, "\n")
		index := slices.IndexFunc(lines, func(line string) bool {
			return !isBlank(line) && line != lines[0] && strings.Fields(line)[0] == name
		})
		if index < 0 {
			return "", fmt.Errorf("no caller is named %q", name)
		}
		return strings.Join(slices.Delete(lines, index, index+1), ""), nil
	})
}

// newMode is the mode of a new file; an existing file keeps its mode.
const newMode = 0o600

// edit replaces the content of a file atomically. A lock serializes the edits of several
// processes. The file keeps its owner and mode; if it cannot, nothing changes.
func edit(file string, change func(content string) (string, error)) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("edit %s: %w", file, err)
		}
	}()
	target, info, err := resolve(file)
	if err != nil {
		return err
	}
	release, err := lock(target, info)
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
	// Another edit may have replaced the file since resolve.
	current, err := os.Stat(target)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err //nolint:wrapcheck // It names the file and the failure.
	}
	return replace(target, after, current)
}

// resolve follows symbolic links to the file to edit. The info is nil if the file does
// not exist yet.
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
		err = errors.New("not a regular file")
	}
	return target, info, err
}
