package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

const upstreamToken = "interop-upstream-token"

// The keys with a meaning of their own. Steps can use every other name in keyNames.
const (
	writerKey = "writer"
	driverKey = "driver"
	// wrongKey is not in the file.
	wrongKey = "wrong"
)

// keyNames are the keys that a gateway knows at the start, with the flags that create each.
var keyNames = map[string][]string{
	writerKey: nil,
	driverKey: nil,
	"first":   nil,
	"second":  nil,
	"third":   nil,
	"reader":  {"--role", "reader"},
	// One add a day.
	"limited": {"--adds-per-day", "1"},
}

// keys are the callers of one gateway.
type keys struct {
	binary, file string
	secrets      map[string]string
}

// createKeys creates the file of callers in a folder.
func createKeys(ctx context.Context, binary, dir string) (*keys, error) {
	k := &keys{binary: binary, file: filepath.Join(dir, "keys"), secrets: map[string]string{}}
	for name, flags := range keyNames {
		if len(flags) == 0 || flags[0] != "--role" {
			flags = append([]string{"--role", "writer"}, flags...)
		}
		secret, err := k.run(ctx, "add", name, flags...)
		if err != nil {
			return nil, err
		}
		k.secrets[name] = secret
	}
	k.secrets[wrongKey] = "pgk_" + strings.Repeat("0", 43)
	return k, nil
}

// revoke withdraws a key.
func (k *keys) revoke(ctx context.Context, name string) error {
	_, err := k.run(ctx, "revoke", name)
	return err
}

func (k *keys) run(ctx context.Context, command, name string, flags ...string) (string, error) {
	args := append([]string{"keys", command, "--file", k.file, "--name", name}, flags...)
	out, err := exec.CommandContext(ctx, k.binary, args...).Output()
	if err != nil {
		return "", fmt.Errorf("keys %s %s: %w", command, name, err)
	}
	return strings.TrimSpace(string(out)), nil
}
