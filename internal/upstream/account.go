// Package upstream is one upstream credential and everything that is shared by those who
// use it: its client, poll budget, add pacer and breaker.
//
// The same list differs by who asks for it: a feed's poll waits for the budget (W15), an
// add's reconciliation goes before the polls (A1), and a caller's own call passes the
// breaker and is tried again (A6).
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
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

// Options are what all accounts share.
type Options struct {
	// BaseURL is the upstream's, path included.
	BaseURL *url.URL
	// Header is how the token is sent.
	Header audian.AuthHeader
	// Transport carries all requests.
	Transport http.RoundTripper
	// PollRate is the poll requests a second of each account; 0 means DefaultPollRate.
	PollRate float64
	// OnTrip is told of each request and what came of it, for the metrics, from many
	// goroutines. It must not block, and may be nil.
	OnTrip func(audian.Trip)
	// Logger may be nil.
	Logger *slog.Logger
}

// Account is one upstream credential.
type Account struct {
	fingerprint participant.Fingerprint
	client      *audian.Client
	pacer       addPacer
	budget      *budget
	addReads    addReads
	breaker     *breaker
	health      health
	retry       retry
	onTrip      func(audian.Trip)

	// uses is how many calls and sources there are, idle since when there are none, in
	// Unix nanoseconds.
	uses useCount
	idle atomic.Int64
}

// New returns the account of a credential. It fails where no request could be made of
// the options.
func New(credential audian.Credential, fingerprint participant.Fingerprint, options Options) (*Account, error) {
	logger := options.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	a := &Account{
		fingerprint: fingerprint,
		budget:      newBudget(options.PollRate, logger),
		breaker:     newBreaker(logger),
		retry:       newRetry(),
		onTrip:      options.OnTrip,
	}
	a.addReads.read = a.readForAdd
	a.idle.Store(time.Now().UnixNano())
	var err error
	a.client, err = audian.New(audian.Options{
		BaseURL: options.BaseURL, Credential: credential, Header: options.Header,
		Transport: departing{options.Transport}, OnTrip: a.answered, Logger: logger,
	})
	return a, err
}

// Fingerprint stands for the account's credential.
func (a *Account) Fingerprint() participant.Fingerprint { return a.fingerprint }

// UpstreamServing says whether the upstream takes the gateway's credential: false from
// its refusal until the next request that is answered otherwise (A5).
func (a *Account) UpstreamServing() bool { return a.health.serving() }

// UpstreamChanged is closed when UpstreamServing is another. Take it before asking.
func (a *Account) UpstreamChanged() <-chan struct{} { return a.health.changed.next() }

// Remove sends once, for as long as ctx allows.
func (a *Account) Remove(ctx context.Context, conference, id string) error {
	a.uses.Add(1)
	defer a.done()
	if err := a.breaker.enter(); err != nil {
		return err
	}
	began := time.Now()
	err := a.client.Remove(ctx, conference, id, audian.Pacing{})
	a.settle(ctx, began, err)
	return err
}

// ListAhead reads the roster for A1, ahead of the account's polls and within their
// budget. Adds that are reconciled in one conference share their reads, one a second: the
// list has begun after the call, and must not be changed.
// It does not pass the breaker: it must find out what became of an add.
func (a *Account) ListAhead(ctx context.Context, conference string) (participant.List, error) {
	a.uses.Add(1)
	defer a.done()
	return a.addReads.do(ctx, conference)
}

// readForAdd is one read of A1, begun when its first request may go.
func (a *Account) readForAdd(ctx context.Context, conference string, begun func()) (read participant.List, err error) {
	a.uses.Add(1)
	defer a.done()
	panicked := panics.Recover(a.budget.logger, "list for an add", func() {
		if err = a.budget.take(ctx, classAddList); err == nil {
			begun()
			read, err = a.poll(ctx, conference, classAddPage)
		}
	})
	if panicked != nil {
		return participant.List{}, panicked
	}
	return read, err
}

// List reads the roster for a caller: at once, for as long as ctx allows, and again where
// it failed and that is likely to help. The list holds every page; the upstream may count
// more people than it listed.
func (a *Account) List(ctx context.Context, conference string) (participant.List, error) {
	a.uses.Add(1)
	defer a.done()
	if err := a.breaker.enter(); err != nil {
		return participant.List{}, err
	}
	began := time.Now()
	read, err := a.retry.do(ctx, func() (participant.List, error) {
		return allPages(a.client.List(ctx, conference, audian.Pacing{}))
	})
	a.settle(ctx, began, err)
	return read, err
}

// allPages turns a list of which a page could not be read into the failure of that page.
func allPages(read participant.List, err error) (participant.List, error) {
	if err == nil && read.PageErr != nil {
		return participant.List{}, read.PageErr
	}
	return read, err
}

// settle notes how a request ended that the breaker let through. To the breaker a call
// counts once, however often it is tried.
func (a *Account) settle(ctx context.Context, began time.Time, err error) {
	a.health.settled(err)
	if !requestctx.IsRetry(ctx) {
		a.breaker.settle(err, time.Since(began))
	}
}

// answered notes one request.
func (a *Account) answered(trip audian.Trip) {
	a.budget.answered(trip)
	a.breaker.answered(trip)
	a.health.answered(trip)
	if a.onTrip != nil {
		a.onTrip(trip)
	}
}

// done ends one use of the account.
func (a *Account) done() {
	a.idle.Store(time.Now().UnixNano())
	a.uses.Add(-1)
}

// useCount counts the uses of an account, and keeps the number of accounts without any.
type useCount struct {
	atomic.Int64

	// unused is that number, nil where nobody asks for it.
	unused *atomic.Int64
}

// Add adds one use or takes one off.
func (c *useCount) Add(delta int64) {
	switch after := c.Int64.Add(delta); {
	case c.unused == nil:
	case after == 0:
		c.unused.Add(1)
	case after == delta:
		c.unused.Add(-1)
	}
}
