// Package account is one upstream credential and everything that is shared by those who
// use it: its client, poll budget, add pacer and breaker.
//
// The same list differs by who asks for it: a feed's poll waits for the budget (W15), an
// add's reconciliation goes before the polls (A1), and a caller's own call passes the
// breaker and is tried again (A6).
package account

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/audian/participant-gateway/internal/audian"
	"github.com/audian/participant-gateway/internal/participant"
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
	breaker     *breaker
	health      health
	retry       retry
	onTrip      func(audian.Trip)

	// uses is how many calls and sources there are, idle since when there are none, in
	// Unix nanoseconds.
	uses, idle atomic.Int64
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
		budget:      newBudget(options.PollRate),
		breaker:     newBreaker(logger),
		retry:       newRetry(),
		onTrip:      options.OnTrip,
	}
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

// ListAhead reads the roster for A1, before the account's polls and within their budget.
// It does not pass the breaker: it must find out what became of an add.
func (a *Account) ListAhead(ctx context.Context, conference string) (participant.List, error) {
	a.uses.Add(1)
	defer a.done()
	if err := a.budget.take(ctx, classUrgentList); err != nil {
		return participant.List{}, err
	}
	return a.poll(ctx, conference, classUrgentPage)
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
	if err == nil && read.Unread != nil {
		return participant.List{}, read.Unread
	}
	return read, err
}

// settle notes how a request ended that the breaker let through. To the breaker a call
// counts once, however often it is tried.
func (a *Account) settle(ctx context.Context, began time.Time, err error) {
	a.health.settled(err)
	if !participant.IsRetry(ctx) {
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
