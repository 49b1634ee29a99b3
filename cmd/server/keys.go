package main

import (
	"fmt"
	"io"

	"github.com/audian/participant-gateway/internal/access/keys"
	"github.com/audian/participant-gateway/internal/config"
)

// editKeys runs 'server keys', which edits a keys file. It prints a new key, and nothing
// else, to standard output.
func editKeys(args []string, stdout io.Writer) error {
	edit, err := config.ParseKeys(args, stdout)
	if err != nil {
		return err
	}
	if edit.Revoke {
		return keys.Revoke(edit.File, edit.Name)
	}
	entry, err := keys.NewEntry(edit.Name, edit.Role, edit.Conferences)
	if err == nil {
		entry, err = entry.WithCalling(edit.AllowPrefix, edit.AddsPerDay)
	}
	if err != nil {
		return config.UsageError(err)
	}
	key, err := keys.Add(edit.File, entry)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(stdout, key); err != nil {
		return fmt.Errorf("print the key of %q, which is lost, so revoke it: %w", edit.Name, err)
	}
	return nil
}
