package keys

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
)

// ReloadOnChange applies changes of the file until ctx ends. Streams end within seconds
// if their caller loses the right to them; other streams go on (W19).
func (a *Authenticator) ReloadOnChange(ctx context.Context) { a.watcher.Run(ctx) }

// Usable reports whether the file could be loaded when it was last read.
func (a *Authenticator) Usable() bool { return a.watcher.Usable() }

// load applies the content of the file.
func (a *Authenticator) load(file string, content []byte) ([]slog.Attr, error) {
	entries, err := Parse(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	entries = a.withoutDisabled(entries)
	before, after := *a.callers.Load(), make(map[Hash]*caller, len(entries))
	for _, entry := range entries {
		known, found := before[entry.Hash]
		if !found || known.name != entry.Name {
			known = &caller{name: entry.Name, grant: access.NewGrant(entry.Rights)}
		}
		after[entry.Hash] = known
	}
	// From here on a new call with a revoked key is refused.
	a.callers.Store(&after)
	for _, entry := range entries {
		after[entry.Hash].grant.SetRights(entry.Rights)
	}
	for hash, known := range before {
		if after[hash] != known {
			known.grant.Revoke(&apierror.Error{
				Reason:  apierror.CredentialInvalid,
				Message: "the key was revoked or disabled",
			})
		}
	}
	return []slog.Attr{slog.Int("callers", len(after))}, nil
}

// withoutDisabled returns the entries whose keys are accepted, and logs the others.
func (a *Authenticator) withoutDisabled(entries []Entry) []Entry {
	return slices.DeleteFunc(entries, func(entry Entry) bool {
		if entry.Disabled != "" {
			a.logger.Error("a key is disabled: its line in the keys file cannot be read completely",
				slog.String("caller", entry.Name), slog.String("problem", entry.Disabled))
		}
		return entry.Disabled != ""
	})
}
