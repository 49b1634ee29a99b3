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
	// maxIdleTime is how long an unused account is kept: longer than the outcomes of its adds
	// (A2).
	maxIdleTime = 15 * time.Minute
	// maxIdleAccounts bounds the unused accounts, so that callers with invented tokens cannot
	// fill the memory.
	maxIdleAccounts = 4096
	// evictionChecks is how many accounts are checked when one is added: a few, so that an
	// invented token costs little.
	evictionChecks = 8
)

// Registry holds the accounts by credential: the gateway's own, or one for each caller's
// token.
type Registry struct {
	options Options
	// own is nil if callers send their own tokens.
	own *Account
	// key is the key of the tokens' fingerprints. It is different in each process.
	key []byte

	// unused is the number of unused accounts.
	unused atomic.Int64

	mu       sync.Mutex
	accounts map[participant.Fingerprint]*list.Element
	// recent holds the entries, the most recently used at the front.
	recent list.List
}

// entry is an account, and when it was last moved to the front.
type entry struct {
	*Account

	movedAt int64
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

// Own returns the account of the gateway's own credential, or nil if callers send their own.
func (r *Registry) Own() *Account { return r.own }

// Account returns the account for a caller's call: the gateway's own, or that of the caller's
// token.
func (r *Registry) Account(token string) (*Account, error) {
	if r.own != nil {
		return r.own, nil
	}
	fingerprint := r.fingerprint(token)
	if a := r.lookup(fingerprint); a != nil {
		return a, nil
	}
	a, err := New(audian.CallerToken(token), fingerprint, r.options)
	if err != nil {
		return nil, &apierror.Error{
			Reason: apierror.CredentialInvalid, Message: "the token cannot be sent upstream", Cause: err,
		}
	}
	return r.insert(a), nil
}

// lookup returns the account of a fingerprint, or nil.
func (r *Registry) lookup(fingerprint participant.Fingerprint) *Account {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lookupLocked(fingerprint)
}

// lookupLocked is lookup with the lock held.
func (r *Registry) lookupLocked(fingerprint participant.Fingerprint) *Account {
	element := r.accounts[fingerprint]
	if element == nil {
		return nil
	}
	a := entryOf(element)
	a.idleSince.Store(time.Now().UnixNano())
	r.moveToFront(element)
	return a.Account
}

// insert adds an account, unless another call has just added one for the same credential.
func (r *Registry) insert(a *Account) *Account {
	r.mu.Lock()
	defer r.mu.Unlock()
	if other := r.lookupLocked(a.fingerprint); other != nil {
		return other
	}
	r.evictIdle()
	a.uses.unused = &r.unused
	r.unused.Add(1)
	r.accounts[a.fingerprint] = r.recent.PushFront(&entry{Account: a, movedAt: time.Now().UnixNano()})
	return a
}

// fingerprint returns the keyed hash of a token.
func (r *Registry) fingerprint(token string) participant.Fingerprint {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(token))
	return participant.Fingerprint(mac.Sum(nil))
}

// evictIdle drops accounts that have been unused for long, and the longest unused one if there
// are too many. It checks a few of the least recently used. The lock is held.
func (r *Registry) evictIdle() {
	for range evictionChecks {
		element := r.recent.Back()
		if element == nil {
			return
		}
		switch a := entryOf(element); {
		case a.uses.Load() > 0 || a.idleSince.Load() > a.movedAt:
			r.moveToFront(element)
		case time.Since(time.Unix(0, a.idleSince.Load())) >= maxIdleTime || r.unused.Load() >= maxIdleAccounts:
			r.recent.Remove(element)
			delete(r.accounts, a.fingerprint)
			r.unused.Add(-1)
		default:
			return // All others were used later.
		}
	}
}

// moveToFront notes that an account is in use, or was since the last check.
func (r *Registry) moveToFront(element *list.Element) {
	a := entryOf(element)
	a.movedAt = max(time.Now().UnixNano(), a.idleSince.Load())
	r.recent.MoveToFront(element)
}

func entryOf(element *list.Element) *entry {
	a, _ := element.Value.(*entry)
	return a
}
