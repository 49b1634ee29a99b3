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
	"golang.org/x/time/rate" //nolint:depguard // Key fetches may burst; only adds must not.

	"github.com/audian/participant-gateway/internal/panics"
)

// issuer caches the keys of an issuer. It fetches them again for a token with an unknown
// key, and when they are old: the issuer may have removed a leaked key.
type issuer struct {
	url    string
	client *http.Client
	logger *slog.Logger

	// fetches shares one fetch between concurrent calls.
	fetches singleflight.Group
	current atomic.Pointer[[]jose.JSONWebKey]
	// refreshAt is when the keys are old, in Unix seconds.
	refreshAt atomic.Int64

	// limiter limits the fetches: a token with an invented key id causes one, so an
	// attacker could overload the issuer.
	limiter *rate.Limiter

	// The fields below belong to refresh. jwksURL is the URL of the keys, empty until
	// discovered.
	jwksURL string
	// lastErr is the error of the last fetch.
	lastErr error
	// lastWarning is the last warning about unusable keys.
	lastWarning string
}

const (
	// requestTimeout limits each request to the issuer.
	requestTimeout = 5 * time.Second
	// maxAge is the age of old keys.
	maxAge = 5 * time.Minute
	// retryInterval is the time between two attempts to refresh old keys, which stay in
	// force meanwhile.
	retryInterval = time.Minute
	// fetchesPerSecond and fetchBurst limit the fetches.
	fetchesPerSecond = 1
	fetchBurst       = 5
)

func newIssuer(url string, logger *slog.Logger) *issuer {
	transport := issuerTransport{&http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		ForceAttemptHTTP2: true,
		IdleConnTimeout:   time.Minute,
	}}
	return &issuer{
		url: url, client: &http.Client{Transport: transport, Timeout: requestTimeout}, logger: logger,
		limiter: rate.NewLimiter(fetchesPerSecond, fetchBurst),
	}
}

var _ oidc.KeySet = (*issuer)(nil)

// outageError reports that the keys could not be fetched.
type outageError struct{ cause error }

func (e *outageError) Error() string { return "fetch the issuer's keys: " + e.cause.Error() }

func (e *outageError) Unwrap() error { return e.cause }

// VerifySignature checks the signature of a token. Its error is an *outageError if the
// keys could not be fetched.
func (i *issuer) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	signed, err := jose.ParseSigned(token, algorithms)
	if err != nil {
		return nil, fmt.Errorf("parse the token: %w", err)
	}
	if payload, verified := verify(i.cachedKeys(ctx), signed); verified {
		return payload, nil
	}
	// The key may be a new one.
	keys, err := i.fetchOnce(ctx)
	if err != nil {
		return nil, &outageError{cause: err}
	}
	if payload, verified := verify(keys, signed); verified {
		return payload, nil
	}
	return nil, errors.New("no key of the issuer verifies the signature")
}

// cachedKeys returns the cached keys. If they are old, one call refreshes them first.
func (i *issuer) cachedKeys(ctx context.Context) []jose.JSONWebKey {
	keys := i.current.Load()
	if keys == nil {
		return nil
	}
	now, due := time.Now(), i.refreshAt.Load()
	if now.Unix() >= due && i.refreshAt.CompareAndSwap(due, now.Add(retryInterval).Unix()) {
		if fresh, err := i.fetchOnce(ctx); err == nil {
			return fresh
		}
	}
	return *keys
}

// fetchOnce fetches the keys, once for all concurrent calls. The fetch continues if the
// call that began it ends, since others wait for it.
func (i *issuer) fetchOnce(ctx context.Context) ([]jose.JSONWebKey, error) {
	detached := context.WithoutCancel(ctx)
	result := i.fetches.DoChan("", func() (any, error) { return nil, i.refresh(detached) })
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

// refresh replaces the cached keys. Above the rate limit it returns the result of the
// last fetch. Calls of refresh never overlap.
func (i *issuer) refresh(ctx context.Context) error {
	if i.limiter.Allow() {
		i.lastErr = i.fetchAndStore(ctx)
	}
	return i.lastErr
}

// fetchAndStore fetches and caches the keys. It returns a panic as an error, since the
// issuer's response may cause one.
func (i *issuer) fetchAndStore(ctx context.Context) (err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = panics.Report(i.logger, "fetch of the issuer's keys", panicked)
		}
	}()
	if i.jwksURL == "" {
		if err := i.discover(ctx); err != nil {
			return fmt.Errorf("discover the issuer: %w", err)
		}
	}
	keys, unusable, err := i.fetch(ctx)
	if err != nil {
		i.jwksURL = "" // The issuer may have moved the keys.
		return fmt.Errorf("get the keys: %w", err)
	}
	i.warn(ctx, unusable)
	i.current.Store(&keys)
	i.refreshAt.Store(time.Now().Add(maxAge).Unix())
	return nil
}

func (i *issuer) discover(ctx context.Context) error {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, i.client), i.url)
	if err != nil {
		return err //nolint:wrapcheck // The one caller wraps.
	}
	var document struct {
		JWKS string `json:"jwks_uri"`
	}
	if err := provider.Claims(&document); err != nil {
		return err //nolint:wrapcheck // The one caller wraps.
	}
	i.jwksURL = document.JWKS
	return nil
}

// fetch requests the keys. issuerTransport limits the body and the status.
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

// warn logs unusable keys, once while they stay the same.
func (i *issuer) warn(ctx context.Context, unusable []error) {
	err := errors.Join(unusable...)
	if err == nil {
		i.lastWarning = ""
		return
	}
	if text := truncate(err.Error()); text != i.lastWarning {
		i.lastWarning = text
		i.logger.LogAttrs(ctx, slog.LevelWarn, "unusable keys of the issuer",
			slog.Int("keys", len(unusable)), slog.String("error", text))
	}
}
