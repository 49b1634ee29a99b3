package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"

	"github.com/audian/participant-gateway/internal/redact"
)

// Passthrough accepts every caller with an upstream token, which the upstream checks
// (--auth=passthrough).
type Passthrough struct {
	key   [32]byte
	grant *Grant
}

// NewPassthrough returns the authenticator, with a random key for the names of callers.
func NewPassthrough() *Passthrough {
	p := Passthrough{grant: NewGrant(AllRights())}
	// Read never fails: the runtime ends the process instead.
	_, _ = rand.Read(p.key[:])
	return &p
}

// Authenticate returns a caller named by a hash of its token.
func (p *Passthrough) Authenticate(_ context.Context, credentials Credentials) (Caller, error) {
	token, err := credentials.RequireSecret("an upstream token")
	if err != nil {
		return Caller{}, err
	}
	return Caller{Name: p.name(token), Token: token, Grant: p.grant}, nil
}

// nameBytes of the keyed hash distinguish callers, and reveal nothing of the token.
const nameBytes = 8

func (p *Passthrough) name(token redact.Secret) string {
	hash := hmac.New(sha256.New, p.key[:])
	hash.Write([]byte(token.Reveal()))
	return "token-" + hex.EncodeToString(hash.Sum(nil)[:nameBytes])
}
