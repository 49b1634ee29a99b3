// Package keys authenticates callers by keys in a file (--auth=keys). The file contains
// the name, the rights and the hash of the key of each caller. Add and Revoke edit it,
// and a running gateway applies the changes.
package keys

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/filewatch"
)

// Authenticator authenticates the callers in a file.
type Authenticator struct {
	logger  *slog.Logger
	watcher *filewatch.Watcher
	// callers has the callers by the hash of their key.
	callers atomic.Pointer[map[Hash]*caller]
}

// caller is a caller in the file.
type caller struct {
	name  string
	grant *access.Grant
}

// Open loads the file.
func Open(file string, logger *slog.Logger) (*Authenticator, error) {
	a := &Authenticator{logger: logger}
	a.callers.Store(&map[Hash]*caller{})
	watcher, err := filewatch.Open(filewatch.Options{
		Name:        "keys file",
		Paths:       []string{file},
		Read:        read,
		Load:        func(contents [][]byte) ([]slog.Attr, error) { return a.load(file, contents[0]) },
		Consequence: "keys revoked since then are still accepted",
		Logger:      logger,
	})
	if err != nil {
		return nil, err
	}
	a.watcher = watcher
	return a, nil
}

var _ access.Authenticator = (*Authenticator)(nil)

// Authenticate finds the caller by the hash of its key. An attacker cannot choose the
// bits of a hash, so the time of the comparison reveals nothing about the keys.
func (a *Authenticator) Authenticate(_ context.Context, credentials access.Credentials) (access.Caller, error) {
	key, err := credentials.RequireSecret("a key")
	if err != nil {
		return access.Caller{}, err
	}
	known, found := (*a.callers.Load())[HashOf(key.Reveal())]
	if !found {
		return access.Caller{}, &apierror.Error{
			Reason:  apierror.CredentialInvalid,
			Message: "unknown key",
		}
	}
	return access.Caller{Name: known.name, Grant: known.grant}, nil
}
