// Package upstream is one upstream account: the client of its credential, its poll budget,
// its add pacer and its circuit breaker.
//
// A list is read in one of three ways: a feed's poll waits for the budget (W15), the list that
// reconciles an add goes before the polls (A1), and a caller's list passes the circuit breaker
// and is retried (A6). Gets share a caller's list (A7).
package upstream

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/retry"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

// Options apply to all accounts.
type Options struct {
	// BaseURL is the upstream's, with its path.
	BaseURL *url.URL
	// Header is how the token is sent.
	Header audian.AuthHeader
	// Transport carries all requests.
	Transport http.RoundTripper
	// PollRate is the poll requests a second of each account; 0 means DefaultPollRate.
	PollRate float64
	// OnResult is called with the result of each request and the context of its span, from many
	// goroutines. It must not block, and may be nil.
	OnResult func(context.Context, audian.Result)
	// Tokens shares the token of an API key with other processes; it may be nil.
	Tokens audian.SharedTokens
	// Logger may be nil.
	Logger *slog.Logger
	// Shared is what the gateway's own account shares with other processes.
	Shared Shared
}

// Account is one upstream credential.
type Account struct {
	fingerprint participant.Fingerprint
	client      *audian.Client
	pacer       addPacer
	budget      *budget
	// reconcileReads are the lists for adds that lost their answer, callerReads those for Gets.
	reconcileReads, callerReads sharedReads
	breaker                     *breaker
	credential                  credentialState
	listRetry                   *retry.Policy
	onResult                    func(context.Context, audian.Result)

	// uses is the number of calls and sources. idleSince is the time of the last use that
	// ended, in Unix nanoseconds.
	uses      useCount
	idleSince atomic.Int64
}

// New returns the account of a credential. It fails if the options allow no valid request.
func New(credential audian.Credential, fingerprint participant.Fingerprint, options Options) (*Account, error) {
	logger := options.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	a := &Account{
		fingerprint: fingerprint,
		budget:      newBudget(options.PollRate, logger),
		breaker:     newBreaker(logger),
		listRetry:   retry.New(maxListRetries),
		onResult:    options.OnResult,
	}
	a.reconcileReads.read = a.readToReconcile
	a.callerReads.read, a.callerReads.nextAfterEnd = a.readForCallers, true
	a.callerReads.gather, a.callerReads.maxGather = gatherCalls, maxGatherCalls
	a.idleSince.Store(time.Now().UnixNano())
	var err error
	a.client, err = audian.New(audian.Options{
		BaseURL: options.BaseURL, Credential: credential, Header: options.Header,
		Transport: addTransport{options.Transport}, OnResult: a.recordResult,
		Tokens: options.Tokens, Logger: logger,
	})
	if err == nil {
		a.share(options.Shared)
	}
	return a, err
}

// share connects the account with those of other processes.
func (a *Account) share(shared Shared) {
	if shared.Adds != nil {
		a.pacer.start(shared.Adds)
	}
	if shared.Polls != nil {
		a.budget.start(shared.Polls)
	}
}

// Fingerprint identifies the account's credential.
func (a *Account) Fingerprint() participant.Fingerprint { return a.fingerprint }

// CredentialAccepted reports whether the upstream accepts the gateway's credential: false from
// a refusal until the next response that is not one (A5).
func (a *Account) CredentialAccepted() bool { return a.credential.accepted() }

// CredentialChanged returns a channel that is closed when CredentialAccepted changes. Call it
// before CredentialAccepted.
func (a *Account) CredentialChanged() <-chan struct{} { return a.credential.changed.wait() }

// CheckKey exchanges the account's API key for its first token, if it has a key. A refusal counts for
// CredentialAccepted.
func (a *Account) CheckKey(ctx context.Context) error {
	err := a.client.CheckKey(ctx)
	a.credential.recordOutcome(err)
	return err
}

// Remove sends one request, which only ctx bounds.
func (a *Account) Remove(ctx context.Context, conference, id string) error {
	return a.sendOnce(ctx, func() error { return a.client.Remove(ctx, conference, id, audian.Pacing{}) })
}

// Control sends one request, as Remove does. The item always has the id; its Fields are empty
// unless the response contains the participant.
func (a *Account) Control(ctx context.Context, conference, id string, control participant.Control) (item participant.Item, err error) {
	err = a.sendOnce(ctx, func() (err error) {
		item, err = a.client.Control(ctx, conference, id, control, audian.Pacing{})
		return err
	})
	return item, err
}

// MuteAll sends one request, as Remove does.
func (a *Account) MuteAll(ctx context.Context, conference string) error {
	return a.sendOnce(ctx, func() error { return a.client.MuteAll(ctx, conference, audian.Pacing{}) })
}

// sendOnce runs a call of the client that sends one request, if the breaker allows it.
func (a *Account) sendOnce(ctx context.Context, send func() error) error {
	a.acquire()
	defer a.release()
	if err := a.breaker.allow(); err != nil {
		return err
	}
	began := time.Now()
	err := send()
	a.recordOutcome(ctx, began, err)
	return err
}

// ListToReconcile reads the conference's list for A1, before the account's polls and within
// their budget. It does not pass the circuit breaker. Adds of the same conference share one
// list a second, which begins after the call. The list must not be changed.
func (a *Account) ListToReconcile(ctx context.Context, conference string) (participant.List, error) {
	a.acquire()
	defer a.release()
	return a.reconcileReads.do(ctx, conference)
}

// readToReconcile reads one list. It calls begun when the budget grants the first request.
func (a *Account) readToReconcile(ctx context.Context, conference string, begun func()) (read participant.List, err error) {
	a.acquire()
	defer a.release()
	panicked := panics.Recover(a.budget.logger, "list for an add", func() {
		if err = a.budget.take(ctx, reconcileFirstPage); err == nil {
			begun()
			read, err = a.poll(ctx, conference, reconcileNextPage)
		}
	})
	if panicked != nil {
		return participant.List{}, panicked
	}
	return read, err
}

// List reads the conference's list for a caller: at once, for as long as ctx allows, with
// retries. The list contains every page; the upstream may count more participants than it
// lists.
func (a *Account) List(ctx context.Context, conference string) (participant.List, error) {
	a.acquire()
	defer a.release()
	return allPages(a.readWithRetries(ctx, conference))
}

// allPages returns the error of the page that could not be read, if there is one.
func allPages(read participant.List, err error) (participant.List, error) {
	if err == nil && read.PageErr != nil {
		return participant.List{}, read.PageErr
	}
	return read, err
}

// recordOutcome records how a call ended that the breaker allowed. For the breaker a call counts
// once, regardless of its retries.
func (a *Account) recordOutcome(ctx context.Context, began time.Time, err error) {
	a.credential.recordOutcome(err)
	if !requestctx.IsRetry(ctx) {
		a.breaker.recordOutcome(err, time.Since(began))
	}
}

// recordResult records the result of one request.
func (a *Account) recordResult(ctx context.Context, result audian.Result) {
	a.budget.recordResult(result)
	a.breaker.recordResult(result)
	a.credential.recordResult(result)
	if a.onResult != nil {
		a.onResult(ctx, result)
	}
}

// acquire begins one use of the account, which release ends.
func (a *Account) acquire() { a.uses.Add(1) }

func (a *Account) release() {
	a.idleSince.Store(time.Now().UnixNano())
	a.uses.Add(-1)
}

// useCount counts the uses of an account, and updates the number of accounts without any.
type useCount struct {
	atomic.Int64

	// unused is that number; it may be nil.
	unused *atomic.Int64
}

// Add adds delta, which is 1 or -1.
func (c *useCount) Add(delta int64) {
	switch after := c.Int64.Add(delta); {
	case c.unused == nil:
	case after == 0:
		c.unused.Add(1)
	case after == delta:
		c.unused.Add(-1)
	}
}
