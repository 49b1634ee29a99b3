package audian

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/singleflight"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// exchangeTimeout bounds an exchange of the API key: no longer than the polls that wait for it
// (W10).
const exchangeTimeout = 5 * time.Second

// sharedExchangeTimeout bounds the wait for the exchange of another process, and one's own after
// it.
const sharedExchangeTimeout = 2 * exchangeTimeout

// The delay after the upstream refused the key starts at firstRetry and doubles, up to
// lastRetry: the vendor may lock an account whose key is refused repeatedly (A6).
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// errNotRenewed means that a token was refused, and that it is too early for another exchange,
// because the last token was refused from the start.
var errNotRenewed = errors.New("the upstream refused the last token too")

// tokenCache holds the token for which an API key was last exchanged. Calls that need another
// token at the same time share one exchange.
type tokenCache struct {
	// exchange returns a token other than the refused one.
	exchange func(ctx context.Context, refused string) (string, error)
	flight   singleflight.Group

	mu sync.Mutex
	// current is empty before the first exchange, and after the key was refused. isAccepted
	// is true if the upstream accepted it in a request.
	current    string
	isAccepted bool
	// Before notBefore there is no exchange, and refusal is returned. delay is how long that
	// was after the last exchange; zero if its token was accepted.
	notBefore time.Time
	refusal   error
	delay     time.Duration
}

// get returns a token other than the refused one, which is empty at first. It exchanges the
// key if there is no such token yet.
func (c *tokenCache) get(ctx context.Context, refused string) (string, error) {
	exchanged, token, err := c.start(ctx, refused)
	if exchanged == nil {
		return token, err
	}
	select {
	case result := <-exchanged:
		token, _ = result.Val.(string)
		return token, copyError(result.Err)
	case <-ctx.Done():
		return "", transportError(ctx, ctx.Err(), true)
	}
}

// start joins or starts an exchange. The channel is nil if none is needed, or none is allowed
// yet.
func (c *tokenCache) start(ctx context.Context, refused string) (<-chan singleflight.Result, string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.current != "" && c.current != refused:
		return nil, c.current, nil
	case time.Now().Before(c.notBefore):
		return nil, "", copyError(c.refusal)
	}
	ctx = detached(ctx)
	return c.flight.DoChan(flightKey, func() (any, error) { return c.renew(ctx, refused) }), "", nil
}

// flightKey is the one key of a tokenCache's exchanges.
const flightKey = "exchange"

// renew exchanges the key. No call can join the exchange after its result was recorded.
func (c *tokenCache) renew(ctx context.Context, refused string) (string, error) {
	token, err := c.exchangeSafely(ctx, refused)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.record(token, err)
	c.flight.Forget(flightKey)
	return token, err
}

// detached returns the context of an exchange that several calls wait for. It has no deadline,
// and no httptrace, which would attribute the exchange's request to the call (A3).
func detached(ctx context.Context) context.Context {
	own := requestctx.WithRequestID(context.Background(), requestctx.RequestID(ctx))
	return trace.ContextWithSpan(own, trace.SpanFromContext(ctx))
}

// copyError returns a copy of an error that several calls share, because each may change it.
func copyError(err error) error {
	var shared *apierror.Error
	if !errors.As(err, &shared) {
		return err
	}
	e := *shared
	return &e
}

// exchangeSafely turns a panic into a failed exchange, because it runs on its own goroutine.
func (c *tokenCache) exchangeSafely(ctx context.Context, refused string) (token string, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &apierror.Error{
				Reason: apierror.Internal, Message: "the API key could not be exchanged", NotSent: true,
				Cause: panics.Error(cause),
			}
		}
	}()
	return c.exchange(ctx, refused)
}

// record records the result of an exchange. The lock is held.
func (c *tokenCache) record(token string, err error) {
	switch {
	case err == nil && c.current != "" && !c.isAccepted:
		c.postpone(errNotRenewed)
		c.current = token
	case err == nil:
		c.current, c.isAccepted, c.delay = token, false, 0
	case apierror.ReasonOf(err) == apierror.CredentialRefused:
		c.postpone(err)
		c.current = ""
	}
}

// postpone delays the next exchange. A refusal with a RetryAfter says how long all processes wait
// that use the key. The lock is held.
func (c *tokenCache) postpone(refusal error) {
	wait := time.Duration(0)
	if shared, ok := errors.AsType[*apierror.Error](refusal); ok {
		wait, shared.RetryAfter = shared.RetryAfter, 0
	}
	if wait == 0 {
		c.delay = min(max(2*c.delay, firstRetry), lastRetry)
		wait = c.delay
	}
	c.notBefore, c.refusal = time.Now().Add(wait), refusal
}

// recordAccepted notes that the upstream accepted the token. If it refuses the token later, the
// token has expired.
func (c *tokenCache) recordAccepted(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if token == c.current {
		c.isAccepted, c.delay, c.notBefore = true, 0, time.Time{}
	}
}

// cached returns the current token, for redaction.
func (c *tokenCache) cached() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current
}

// wireExchange is the body of an exchange.
type wireExchange struct {
	Data wireKey `json:"data"`
}

type wireKey struct {
	APIKey string `json:"api_key"`
}

// sharedExchange returns a token other than the refused one, of another process if there is one.
func (c *Client) sharedExchange(ctx context.Context, refused string) (string, error) {
	if c.options.Tokens == nil {
		return c.exchange(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, sharedExchangeTimeout)
	defer cancel()
	token, err := c.options.Tokens.Token(ctx, refused, c.exchange)
	if _, known := errors.AsType[*apierror.Error](err); err != nil && !known {
		return "", transportError(ctx, err, true)
	}
	if err == nil && !headerSafe(token) {
		return c.exchange(ctx)
	}
	return token, err
}

// exchange exchanges the API key for a token.
func (c *Client) exchange(ctx context.Context) (string, error) {
	r := request{
		operation: Exchange, method: http.MethodPut, path: []string{"api_auth"},
	}
	var err error
	if r.body, err = encode(wireExchange{Data: wireKey{c.options.Credential.Reveal()}}); err != nil {
		return "", err
	}
	resp, err := c.send(ctx, r, "", exchangeTimeout)
	if err != nil {
		return "", exchangeError(err)
	}
	token, isText := text(resp.envelope.AuthToken)
	if !isText || !headerSafe(token) {
		return "", exchangeError(resp.undecodable(errors.New("no auth_token in the answer")))
	}
	return token, nil
}

// exchangeError returns a failed exchange as the error of the call that needed the token. That
// call was not sent. A refusal of any status is one of the credential, and retrying the call
// would not help (A5).
func exchangeError(err error) error {
	var e *apierror.Error
	if !errors.As(err, &e) {
		return err
	}
	e.NotSent = true
	if e.FromUpstream && isClientError(e.UpstreamStatus) {
		e.Reason, e.FromUpstream, e.RetryAfter = apierror.CredentialRefused, false, 0
	}
	return e
}
