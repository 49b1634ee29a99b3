package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/sync/singleflight"
)

// issuer knows the keys of an issuer, once that has told where they are.
type issuer struct {
	url    string
	client *http.Client

	discovering singleflight.Group
	keys        atomic.Pointer[keySet]
}

// requestTimeout bounds each request to the issuer.
const requestTimeout = 5 * time.Second

func newIssuer(url string) *issuer {
	transport := newSparing(&http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		ForceAttemptHTTP2: true,
		IdleConnTimeout:   time.Minute,
	})
	return &issuer{url: url, client: &http.Client{Transport: transport, Timeout: requestTimeout}}
}

// keySet gives the issuer's keys. Until it has been reached once, each call that needs
// them asks it again, and calls at a time ask together.
func (i *issuer) keySet(ctx context.Context) (*keySet, error) {
	if known := i.keys.Load(); known != nil {
		return known, nil
	}
	// What one caller began others wait for: it does not end with that caller.
	detached := context.WithoutCancel(ctx)
	asked := i.discovering.DoChan("", func() (any, error) { return nil, i.discover(detached) })
	select {
	case answer := <-asked:
		return i.keys.Load(), answer.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (i *issuer) discover(ctx context.Context) error {
	ctx = oidc.ClientContext(ctx, i.client)
	provider, err := oidc.NewProvider(ctx, i.url)
	if err != nil {
		return fmt.Errorf("discover the issuer: %w", err)
	}
	var described struct {
		JWKS string `json:"jwks_uri"`
	}
	if err := provider.Claims(&described); err != nil {
		return fmt.Errorf("discover the issuer: %w", err)
	}
	i.keys.Store(newKeySet(func() oidc.KeySet { return oidc.NewRemoteKeySet(ctx, described.JWKS) }))
	return nil
}

// keySet is the issuer's keys as last read. They are read again when a token names one
// that is not among them, and when they are old: a key that the issuer took back, since
// it leaked perhaps, is not to be trusted for ever.
type keySet struct {
	fresh   func() oidc.KeySet
	current atomic.Pointer[oidc.KeySet]
	// renewal is when the keys are old, in Unix seconds.
	renewal atomic.Int64
}

const (
	// maxAge is when keys are old.
	maxAge = 5 * time.Minute
	// renewAgain is when they are read again if the issuer could not be reached; the
	// old ones stay in force.
	renewAgain = time.Minute
)

func newKeySet(fresh func() oidc.KeySet) *keySet {
	k := &keySet{fresh: fresh}
	k.put(fresh())
	return k
}

func (k *keySet) put(keys oidc.KeySet) {
	k.current.Store(&keys)
	k.renewal.Store(time.Now().Add(maxAge).Unix())
}

// VerifySignature checks a token's signature. Its error is an *outageError where the
// keys could not be read.
func (k *keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	now, due := time.Now(), k.renewal.Load()
	if now.Unix() >= due && k.renewal.CompareAndSwap(due, now.Add(renewAgain).Unix()) {
		keys := k.fresh()
		payload, err := verifyWith(ctx, keys, token)
		if _, isOutage := errors.AsType[*outageError](err); !isOutage {
			k.put(keys)
			return payload, err
		}
	}
	return verifyWith(ctx, *k.current.Load(), token)
}

// outageError says that the issuer was to be asked, and did not answer.
type outageError struct{ cause error }

func (e *outageError) Error() string { return e.cause.Error() }

func (e *outageError) Unwrap() error { return e.cause }

// verifyWith tells outages from false signatures: of the key set's errors those wrap
// what went wrong.
func verifyWith(ctx context.Context, keys oidc.KeySet, token string) ([]byte, error) {
	payload, err := keys.VerifySignature(ctx, token)
	if errors.Unwrap(err) != nil {
		return nil, &outageError{cause: err}
	}
	return payload, err //nolint:wrapcheck // The verifier wraps.
}
