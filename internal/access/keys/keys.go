// Package keys admits callers by keys of a file (--auth=keys): the file names each
// caller, its rights, and the hash of its key. It is followed while the gateway runs,
// and edited by Add and Revoke.
package keys

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
)

// Policy admits the callers of a file.
type Policy struct {
	file   string
	logger *slog.Logger
	// holders are the callers by the hash of their key.
	holders atomic.Pointer[map[Hash]*holder]

	// content is what the holders were read from; reading alone changes it.
	content []byte
	// complaint is what was last logged about a file that cannot be used, and when.
	complaint    string
	complainedAt time.Time
	// unusable is set while the file is not what the holders were read from.
	unusable atomic.Bool
}

// holder is a caller that has a key.
type holder struct {
	name  string
	grant *access.Grant
}

// Open reads the file, which must be there and well-formed.
func Open(file string, logger *slog.Logger) (*Policy, error) {
	p := &Policy{file: file, logger: logger}
	p.holders.Store(&map[Hash]*holder{})
	content, err := read(file)
	if err != nil {
		return nil, err
	}
	if err := p.load(content); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

var _ access.Policy = (*Policy)(nil)

// Admit finds the caller by the key. What is compared are hashes, whose bits nobody can
// choose, so the time that it takes tells nothing of the keys that there are.
func (p *Policy) Admit(_ context.Context, presented access.Presented) (access.Caller, error) {
	key, err := presented.Required("a key")
	if err != nil {
		return access.Caller{}, err
	}
	known, found := (*p.holders.Load())[HashOf(key.Reveal())]
	if !found {
		return access.Caller{}, &apierror.Error{
			Reason:  apierror.CredentialInvalid,
			Message: "the key is not known here",
		}
	}
	return access.Caller{Name: known.name, Grant: known.grant}, nil
}
