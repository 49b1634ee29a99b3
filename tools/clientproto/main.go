// Command clientproto writes the protos that a client needs, those of /schema/proto.zip, into
// a folder. The clients of clients/ generate their code from them.
//
// Usage:
//
//	clientproto DIR
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/audian/participant-gateway/internal/schema"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: clientproto DIR")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "clientproto:", err)
		os.Exit(1)
	}
}

// write writes each proto, unless the file has that content: build tools compare times. Each file
// appears at once, so that concurrent builds never read a part of one.
func write(dir string) error {
	for _, file := range schema.Protos() {
		path := filepath.Join(dir, filepath.FromSlash(file.Name))
		content := file.Content()
		before, err := os.ReadFile(path)
		if err == nil && bytes.Equal(before, content) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("make the folder of %s: %w", file.Name, err)
		}
		if err := renameio.WriteFile(path, content, 0o644); err != nil {
			return fmt.Errorf("write %s: %w", file.Name, err)
		}
	}
	return nil
}
