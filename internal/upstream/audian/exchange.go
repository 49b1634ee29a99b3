package audian

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// exchangeTimeout is how long an exchange of the key may take: no longer than the polls
// that wait for it may (W10).
const exchangeTimeout = 5 * time.Second

// A key that was refused is tried again after firstRetry, then ever later, up to lastRetry:
// the vendor may lock out an account whose key is refused again and again (A6).
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// errNotRenewed says that a token was refused, and that it is too early to exchange the
// key again, whose last token was refused from the start.
var errNotRenewed = errors.New("the upstream has not taken the last token either")

// exchanger keeps the token that an API key was last exchanged for. However many
// calls need another, there is one exchange.
type exchanger struct {
	exchange func(context.Context) (string, error)

	mu sync.Mutex
	// current is empty where the key is still to be exchanged, or was refused. isTaken
	// says that a request was answered under it.
	current string
	isTaken bool
	flight  *flight
	// Until notBefore there is no exchange, and refusal is the answer; wait is how long
	// that was after the last exchange, zero where it was of use.
	notBefore time.Time
	refusal   error
	wait      time.Duration
}

// flight is an exchange under way. Its outcome may be read when done is closed.
type flight struct {
	done  chan struct{}
	token string
	err   error
}

// other returns a token that is not the refused one (the empty one to begin with). It
// exchanges the key for it unless that has been done already, or is not due yet.
func (e *exchanger) other(ctx context.Context, refused string) (string, error) {
	e.mu.Lock()
	switch {
	case e.current != "" && e.current != refused:
		defer e.mu.Unlock()
		return e.current, nil
	case e.flight == nil && time.Now().Before(e.notBefore):
		defer e.mu.Unlock()
		return "", own(e.refusal)
	case e.flight == nil:
		e.flight = &flight{done: make(chan struct{})}
		go e.fly(detached(ctx), e.flight)
	}
	f := e.flight
	e.mu.Unlock()

	select {
	case <-f.done:
		return f.token, own(f.err)
	case <-ctx.Done():
		return "", silence(ctx, ctx.Err(), true)
	}
}

// detached is the context of an exchange that a call needs: others wait for it too, so that
// it has neither the call's deadline nor its httptrace, which would see the exchange's
// request as the call's (A3).
func detached(ctx context.Context) context.Context {
	own := requestctx.WithRequestID(context.Background(), requestctx.RequestID(ctx))
	return requestctx.WithTraceparent(own, requestctx.Traceparent(ctx))
}

// own gives each of those who waited an error of their own, to be added to.
func own(err error) error {
	var shared *apierror.Error
	if !errors.As(err, &shared) {
		return err
	}
	e := *shared
	return &e
}

func (e *exchanger) fly(ctx context.Context, f *flight) {
	f.token, f.err = e.safely(ctx)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.note(f.token, f.err)
	e.flight = nil
	close(f.done)
}

// safely exchanges the key. A panic is the failure of this exchange, and not the end of the
// process: this is a goroutine of its own.
func (e *exchanger) safely(ctx context.Context) (token string, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &apierror.Error{
				Reason: apierror.Internal, Message: "the API key could not be exchanged", NotSent: true,
				Cause: fmt.Errorf("panic: %v\n%s", cause, debug.Stack()),
			}
		}
	}()
	return e.exchange(ctx)
}

// note notes the outcome of an exchange. The lock is held.
func (e *exchanger) note(token string, err error) {
	switch {
	case err == nil && e.current != "" && !e.isTaken:
		e.delay(errNotRenewed)
		e.current = token
	case err == nil:
		e.current, e.isTaken, e.wait = token, false, 0
	case apierror.ReasonOf(err) == apierror.CredentialRefused:
		e.delay(err)
		e.current = ""
	}
}

// delay puts the next exchange off. The lock is held.
func (e *exchanger) delay(refusal error) {
	e.wait = min(max(2*e.wait, firstRetry), lastRetry)
	e.notBefore, e.refusal = time.Now().Add(e.wait), refusal
}

// taken notes that a request was answered under token: once it is refused, it has expired.
func (e *exchanger) taken(token string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if token == e.current {
		e.isTaken, e.wait, e.notBefore = true, 0, time.Time{}
	}
}

// held is the token held now, for redaction.
func (e *exchanger) held() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.current
}

// wireExchange is the body of an exchange.
type wireExchange struct {
	Data wireKey `json:"data"`
}

type wireKey struct {
	APIKey string `json:"api_key"`
}

// exchange asks the upstream for a token in place of the key.
func (c *Client) exchange(ctx context.Context) (string, error) {
	r := request{
		operation: Exchange, method: http.MethodPut, path: []string{"api_auth"},
	}
	var err error
	if r.body, err = encode(wireExchange{Data: wireKey{c.options.Credential.secret}}); err != nil {
		return "", err
	}
	a, err := c.send(ctx, r, "", exchangeTimeout)
	if err != nil {
		return "", notSent(err)
	}
	token, told := text(a.envelope.AuthToken)
	if !told || !headerSafe(token) {
		return "", notSent(a.undecodable(errors.New("no auth_token in the answer")))
	}
	return token, nil
}

// notSent tells a failed exchange as the failure of the call that needed it: that call
// was surely not sent, and a refusal is one of the credential, whatever its status. No
// later try of that call would fare better (A5).
func notSent(err error) error {
	var e *apierror.Error
	if !errors.As(err, &e) {
		return err
	}
	e.NotSent = true
	if e.FromUpstream && isVerdict(e.UpstreamStatus) {
		e.Reason, e.FromUpstream, e.RetryAfter = apierror.CredentialRefused, false, 0
	}
	return e
}
