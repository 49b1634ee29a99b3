package upstream

import (
	"container/list"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

const (
	// idleFor is how long an account is kept that nobody uses: longer than outcomes
	// are remembered (A2), so that its pacing outlives whatever refers to it.
	idleFor = 15 * time.Minute
	// maxIdle is how many such accounts are kept, so that callers with made-up tokens
	// cannot fill the memory.
	maxIdle = 4096
	// sweepSteps is how many accounts are looked at when one is added: a few, so that a
	// made-up token costs little.
	sweepSteps = 8
)

// Registry holds the accounts by credential: the gateway's own one, or one a caller's
// token.
type Registry struct {
	options Options
	// own is nil where callers bring their tokens.
	own *Account
	// key makes fingerprints of tokens that mean nothing outside this process.
	key []byte

	// unused is how many accounts nobody uses.
	unused atomic.Int64

	mu       sync.Mutex
	accounts map[participant.Fingerprint]*list.Element
	// recent holds the accounts as registered, the last one seen in use at the front.
	recent list.List
}

// registered is an account, and when it was last put at the front.
type registered struct {
	*Account

	seen int64
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
	r := &Registry{options: options, key: make([]byte, sha256.Size), accounts: map[participant.Fingerprint]*list.Element{}}
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
	if a := r.known(fingerprint); a != nil {
		return a, nil
	}
	a, err := New(audian.CallerToken(token), fingerprint, r.options)
	if err != nil {
		return nil, &apierror.Error{
			Reason: apierror.CredentialInvalid, Message: "the token cannot be sent upstream", Cause: err,
		}
	}
	return r.register(a), nil
}

// known is the account of a fingerprint; nil where there is none.
func (r *Registry) known(fingerprint participant.Fingerprint) *Account {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.find(fingerprint)
}

// find is known with the lock held.
func (r *Registry) find(fingerprint participant.Fingerprint) *Account {
	element := r.accounts[fingerprint]
	if element == nil {
		return nil
	}
	a := accountIn(element)
	a.idle.Store(time.Now().UnixNano())
	r.refresh(element)
	return a.Account
}

// register adds an account, unless another call has just added one of the credential.
func (r *Registry) register(a *Account) *Account {
	r.mu.Lock()
	defer r.mu.Unlock()
	if other := r.find(a.fingerprint); other != nil {
		return other
	}
	r.sweep()
	a.uses.unused = &r.unused
	r.unused.Add(1)
	r.accounts[a.fingerprint] = r.recent.PushFront(&registered{Account: a, seen: time.Now().UnixNano()})
	return a
}

// fingerprint is the keyed hash of a token.
func (r *Registry) fingerprint(token string) participant.Fingerprint {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(token))
	return participant.Fingerprint(mac.Sum(nil))
}

// sweep drops accounts that have been idle for long, and the longest idle one where there
// are too many. It looks at a few of those that were not seen in use for longest; each
// account added pays for them. The lock is held.
func (r *Registry) sweep() {
	for range sweepSteps {
		element := r.recent.Back()
		if element == nil {
			return
		}
		switch a := accountIn(element); {
		case a.uses.Load() > 0 || a.idle.Load() > a.seen:
			r.refresh(element)
		case time.Since(time.Unix(0, a.idle.Load())) >= idleFor || r.unused.Load() >= maxIdle:
			r.recent.Remove(element)
			delete(r.accounts, a.fingerprint)
			r.unused.Add(-1)
		default:
			return // All others were used later.
		}
	}
}

// refresh puts an account at the front: it is in use, or was when nobody looked.
func (r *Registry) refresh(element *list.Element) {
	a := accountIn(element)
	a.seen = max(time.Now().UnixNano(), a.idle.Load())
	r.recent.MoveToFront(element)
}

func accountIn(element *list.Element) *registered {
	a, _ := element.Value.(*registered)
	return a
}
