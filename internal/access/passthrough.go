package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
)

// Passthrough admits whoever presents an upstream token, and has the upstream judge it
// (--auth=passthrough).
type Passthrough struct {
	key   [32]byte
	grant *Grant
}

// NewPassthrough returns the policy with a key of its own for this process.
func NewPassthrough() *Passthrough {
	p := Passthrough{grant: NewGrant(Everything())}
	// Read never fails: the runtime ends the process instead.
	_, _ = rand.Read(p.key[:])
	return &p
}

// Admit refuses only those without a token.
func (p *Passthrough) Admit(_ context.Context, presented Presented) (Caller, error) {
	token, err := presented.Required("an upstream token")
	if err != nil {
		return Caller{}, err
	}
	return Caller{Name: p.name(token), Token: token, Grant: p.grant}, nil
}

// nameBytes of a keyed hash tell callers apart, and tell nothing of the token.
const nameBytes = 8

func (p *Passthrough) name(token Credential) string {
	hash := hmac.New(sha256.New, p.key[:])
	hash.Write([]byte(token))
	return "token-" + hex.EncodeToString(hash.Sum(nil)[:nameBytes])
}
