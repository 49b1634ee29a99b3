package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate" //nolint:depguard // Of reads of keys a burst is meant; it is adds that must not have one.
)

// issuer is an issuer's keys as last read. They are read again when a token is signed
// with one that is not among them, and when they are old: a key that the issuer took
// back, since it leaked perhaps, is not to be trusted for ever.
type issuer struct {
	url    string
	client *http.Client
	logger *slog.Logger

	// reading has calls that need the keys at the same time read them once.
	reading singleflight.Group
	current atomic.Pointer[[]jose.JSONWebKey]
	// renewal is when the keys are old, in Unix seconds.
	renewal atomic.Int64

	// budget bounds the reads: a token with a made-up key id has the keys read again, so
	// strangers could overrun the issuer.
	budget *rate.Limiter

	// jwksURL is where the keys are, empty until discovered. Only refresh uses it, lastErr
	// and warned.
	jwksURL string
	// lastErr is how the last read failed, nil where it did not.
	lastErr error
	// warned is what was last logged about unusable keys.
	warned string
}

const (
	// requestTimeout bounds each request to the issuer.
	requestTimeout = 5 * time.Second
	// maxAge is when keys are old.
	maxAge = 5 * time.Minute
	// renewAgain is when old keys are read again if that failed; they stay in force.
	renewAgain = time.Minute
	// readsPerSecond is how often the keys are read in the long run, and readBurst how
	// often at once.
	readsPerSecond = 1
	readBurst      = 5
)

func newIssuer(url string, logger *slog.Logger) *issuer {
	transport := strict{&http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		ForceAttemptHTTP2: true,
		IdleConnTimeout:   time.Minute,
	}}
	return &issuer{
		url: url, client: &http.Client{Transport: transport, Timeout: requestTimeout}, logger: logger,
		budget: rate.NewLimiter(readsPerSecond, readBurst),
	}
}

var _ oidc.KeySet = (*issuer)(nil)

// outageError says that the keys were needed and could not be read.
type outageError struct{ cause error }

func (e *outageError) Error() string { return "read the issuer's keys: " + e.cause.Error() }

func (e *outageError) Unwrap() error { return e.cause }

// VerifySignature checks a token's signature. Its error is an *outageError where the
// keys could not be read.
func (i *issuer) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	signed, err := jose.ParseSigned(token, algorithms)
	if err != nil {
		return nil, fmt.Errorf("parse the token: %w", err)
	}
	if payload, verified := verify(i.known(ctx), signed); verified {
		return payload, nil
	}
	// The key may be a new one.
	keys, err := i.read(ctx)
	if err != nil {
		return nil, &outageError{cause: err}
	}
	if payload, verified := verify(keys, signed); verified {
		return payload, nil
	}
	return nil, errors.New("no key of the issuer verifies the signature")
}

// known are the keys as last read, read again by one call if they are old.
func (i *issuer) known(ctx context.Context) []jose.JSONWebKey {
	keys := i.current.Load()
	if keys == nil {
		return nil
	}
	now, due := time.Now(), i.renewal.Load()
	if now.Unix() >= due && i.renewal.CompareAndSwap(due, now.Add(renewAgain).Unix()) {
		if fresh, err := i.read(ctx); err == nil {
			return fresh
		}
	}
	return *keys
}

// read reads the keys. What one call began others wait for, so it does not end with
// that call; it is done when the keys are in force.
func (i *issuer) read(ctx context.Context) ([]jose.JSONWebKey, error) {
	detached := context.WithoutCancel(ctx)
	result := i.reading.DoChan("", func() (any, error) { return nil, i.refresh(detached) })
	select {
	case done := <-result:
		if done.Err != nil {
			return nil, done.Err
		}
		return *i.current.Load(), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// refresh puts the keys in force that the issuer has now. Where they were read often
// enough, the last read stands. Calls of refresh never overlap.
func (i *issuer) refresh(ctx context.Context) error {
	if i.budget.Allow() {
		i.lastErr = i.renew(ctx)
	}
	return i.lastErr
}

// renew reads the keys. A panic over what the issuer answered is an error: it would end
// the process.
func (i *issuer) renew(ctx context.Context) (err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("panic: %v", panicked)
		}
	}()
	if i.jwksURL == "" {
		if err := i.discover(ctx); err != nil {
			return fmt.Errorf("discover the issuer: %w", err)
		}
	}
	keys, unusable, err := i.fetch(ctx)
	if err != nil {
		i.jwksURL = "" // The keys may have moved.
		return fmt.Errorf("get the keys: %w", err)
	}
	i.warn(ctx, unusable)
	i.current.Store(&keys)
	i.renewal.Store(time.Now().Add(maxAge).Unix())
	return nil
}

func (i *issuer) discover(ctx context.Context) error {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, i.client), i.url)
	if err != nil {
		return err //nolint:wrapcheck // The one caller wraps.
	}
	var described struct {
		JWKS string `json:"jwks_uri"`
	}
	if err := provider.Claims(&described); err != nil {
		return err //nolint:wrapcheck // The one caller wraps.
	}
	i.jwksURL = described.JWKS
	return nil
}

// fetch gets the keys. Other statuses than 200 are errors, and the body is bounded: see strict.
func (i *issuer) fetch(ctx context.Context) (keys []jose.JSONWebKey, unusable []error, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, i.jwksURL, http.NoBody)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // The one caller wraps.
	}
	response, err := i.client.Do(request)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // The one caller wraps.
	}
	defer func() { _ = response.Body.Close() }() // It was only read.
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // The one caller wraps.
	}
	return parseKeys(body)
}

// warn logs the keys that cannot be used, once while they stay the same.
func (i *issuer) warn(ctx context.Context, unusable []error) {
	err := errors.Join(unusable...)
	if err == nil {
		i.warned = ""
		return
	}
	if text := cut(err.Error()); text != i.warned {
		i.warned = text
		i.logger.LogAttrs(ctx, slog.LevelWarn, "keys of the issuer that cannot be used",
			slog.Int("keys", len(unusable)), slog.String("error", text))
	}
}
