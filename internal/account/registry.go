package account

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/audian"
	"github.com/audian/participant-gateway/internal/participant"
)

const (
	// idleFor is how long an account is kept that nobody uses: longer than outcomes
	// are remembered (A2), so that its pacing outlives whatever refers to it.
	idleFor = 15 * time.Minute
	// maxIdle is how many such accounts are kept, so that callers with made-up tokens
	// cannot fill the memory.
	maxIdle = 4096
	// sweepEvery is how often they are looked for, unless there are that many.
	sweepEvery = time.Minute
)

// Registry holds the accounts by credential: the gateway's own one, or one a caller's
// token.
type Registry struct {
	options Options
	// own is nil where callers bring their tokens.
	own *Account
	// key makes fingerprints of tokens that mean nothing outside this process.
	key []byte

	mu       sync.Mutex
	accounts map[participant.Fingerprint]*Account
	swept    time.Time
}

// NewRegistry returns a registry in which every call uses the gateway's own credential.
func NewRegistry(own audian.Credential, options Options) (*Registry, error) {
	r := NewPassthrough(options)
	var err error
	r.own, err = New(own, r.fingerprint(own.Reveal()), options)
	return r, err
}

// NewPassthrough returns a registry in which every call uses its caller's token.
func NewPassthrough(options Options) *Registry {
	r := &Registry{options: options, key: make([]byte, sha256.Size), accounts: map[participant.Fingerprint]*Account{}}
	_, _ = rand.Read(r.key) // It never fails.
	return r
}

// Own is the account of the gateway's own credential, nil where callers bring theirs.
func (r *Registry) Own() *Account { return r.own }

// Account is the account that a caller's call uses: the gateway's own, or that of the
// caller's token.
func (r *Registry) Account(token string) (*Account, error) {
	if r.own != nil {
		return r.own, nil
	}
	fingerprint := r.fingerprint(token)
	r.mu.Lock()
	defer r.mu.Unlock()
	if a, known := r.accounts[fingerprint]; known {
		a.idle.Store(time.Now().UnixNano())
		return a, nil
	}
	a, err := New(audian.CallerToken(token), fingerprint, r.options)
	if err != nil {
		return nil, &participant.Error{
			Reason: participant.CredentialInvalid, Message: "the token cannot be sent upstream", Cause: err,
		}
	}
	r.sweep()
	r.accounts[fingerprint] = a
	return a, nil
}

// fingerprint is the keyed hash of a token.
func (r *Registry) fingerprint(token string) participant.Fingerprint {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(token))
	return participant.Fingerprint(mac.Sum(nil))
}

// sweep drops accounts that have been idle for long, and the longest idle one where
// there are too many. The lock is held.
func (r *Registry) sweep() {
	if len(r.accounts) < maxIdle && time.Since(r.swept) < sweepEvery {
		return
	}
	r.swept = time.Now()
	var longest *Account
	idle := 0
	for fingerprint, a := range r.accounts {
		switch {
		case a.uses.Load() > 0:
			continue
		case time.Since(time.Unix(0, a.idle.Load())) >= idleFor:
			delete(r.accounts, fingerprint)
			continue
		case longest == nil || a.idle.Load() < longest.idle.Load():
			longest = a
		}
		idle++
	}
	if idle >= maxIdle {
		delete(r.accounts, longest.fingerprint)
	}
}
