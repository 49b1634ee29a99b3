// Package watch serves one conference's changes to each subscriber. A Subscription is a
// cursor over a feed's log: it shows the entries through a filter, and returns one message
// after another as docs/promises.md defines.
//
// Subscribers with equal filters share a view, so that each message is made and encoded
// once.
//
// Lock order: Watcher.mu, or shard.waking and then the locks of a receiver; then cache.mu, or
// broadcast.mu and then shard.mu. A receiver must not end its calls while it holds a lock of its own.
package watch

import (
	"context"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
)

// Request selects what to watch, and from where.
type Request struct {
	Account    feed.Account
	Conference string
	// ResumeToken is the client's last token; empty to start with a snapshot.
	ResumeToken string
	Filter      participant.Filter
	// Heartbeat is the longest time without a checkpoint.
	Heartbeat time.Duration
	// Stream is the number of the client's stream, for Subscriptions.
	Stream uint64
}

// Watcher opens subscriptions on the feeds of a hub.
type Watcher struct {
	hub    *feed.Hub
	limits Limits

	mu          sync.Mutex
	subscribers int
	conferences map[*feed.Feed]*conference
	open        map[*Subscription]struct{}
}

// NewWatcher returns a watcher of the hub's feeds.
func NewWatcher(hub *feed.Hub, limits Limits) *Watcher {
	return &Watcher{
		hub: hub, limits: limits, conferences: map[*feed.Feed]*conference{}, open: map[*Subscription]struct{}{},
	}
}

// Subscribe opens a subscription. It fails only if the token is not one of this service, or
// a limit is reached. The caller closes the subscription, which does not end with ctx.
func (w *Watcher) Subscribe(ctx context.Context, request Request) (*Subscription, error) {
	resume, err := parseResumeToken(request.ResumeToken)
	if err != nil {
		return nil, err
	}
	source, view, release, err := w.acquire(ctx, request)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	heartbeat := request.Heartbeat - request.Heartbeat/heartbeatLead
	s := &Subscription{
		feed:         source,
		view:         view,
		woken:        make(chan struct{}, 1),
		stream:       request.Stream,
		initialToken: request.ResumeToken,
		resume:       resume,
		heartbeat:    heartbeat,
		openDeadline: now.Add(openTimeout),
		checkpointAt: now.Add(heartbeat),
	}
	s.release = w.list(s, release)
	return s, nil
}

// list adds a subscription to those of Subscriptions. It returns release, which removes it first.
func (w *Watcher) list(s *Subscription, release func()) func() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open[s] = struct{}{}
	return func() {
		w.mu.Lock()
		delete(w.open, s)
		w.mu.Unlock()
		release()
	}
}

// parseResumeToken parses a client's token; nil for none.
func parseResumeToken(text string) (*token, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // No token is no error.
	}
	resume, err := parseToken(text)
	if err != nil {
		return nil, &apierror.Error{
			Reason:  apierror.InvalidResumeToken,
			Message: "resume_token: " + err.Error(),
			Violations: []apierror.Violation{{
				Field: "resume_token", Rule: "resume_token", Message: err.Error(),
			}},
		}
	}
	return &resume, nil
}

// acquire returns the feed and the view of a new subscriber, if the limits allow one.
func (w *Watcher) acquire(ctx context.Context, request Request) (source *feed.Feed, shared *view, release func(), err error) {
	if err := w.addSubscriber(); err != nil {
		return nil, nil, nil, err
	}
	source, releaseFeed, err := w.hub.Acquire(ctx, request.Account, request.Conference)
	if err != nil {
		w.removeSubscriber()
		return nil, nil, nil, err
	}
	shared, err = w.acquireView(source, request.Filter)
	if err != nil {
		releaseFeed()
		w.removeSubscriber()
		return nil, nil, nil, err
	}
	return source, shared, func() {
		w.releaseView(shared)
		releaseFeed()
		w.removeSubscriber()
	}, nil
}

// addSubscriber counts a subscriber before anything is acquired for it.
func (w *Watcher) addSubscriber() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.limits.Subscribers > 0 && w.subscribers >= w.limits.Subscribers {
		return errTooManySubscribers
	}
	w.subscribers++
	return nil
}

func (w *Watcher) removeSubscriber() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.subscribers--
}

// Subscribers returns the number of open subscriptions.
func (w *Watcher) Subscribers() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.subscribers
}
