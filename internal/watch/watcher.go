// Package watch is one subscriber: a cursor over a feed's log, seen through a filter,
// that gives message after message as watch.md promises them.
package watch

import (
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
)

// Request says what to watch, and from where.
type Request struct {
	Account    feed.Account
	Conference string
	// ResumeToken is the client's last; empty to begin with a snapshot.
	ResumeToken string
	Filter      participant.Filter
	// Heartbeat is the longest time without a checkpoint.
	Heartbeat time.Duration
}

// Watcher opens subscriptions on the feeds of a hub.
type Watcher struct {
	hub    *feed.Hub
	limits Limits

	mu          sync.Mutex
	subscribers int
	views       map[*feed.Feed]map[participant.FilterHash]*sharedView
}

type sharedView struct {
	view *view
	// subscribers is how many share it.
	subscribers int
}

// NewWatcher returns a watcher of the hub's feeds.
func NewWatcher(hub *feed.Hub, limits Limits) *Watcher {
	return &Watcher{hub: hub, limits: limits, views: map[*feed.Feed]map[participant.FilterHash]*sharedView{}}
}

// Subscribe opens a subscription. It fails only where the token is none of ours, or a
// limit is reached. The caller closes it.
func (w *Watcher) Subscribe(request Request) (*Subscription, error) {
	resume, err := readToken(request.ResumeToken)
	if err != nil {
		return nil, err
	}
	source, view, leave, err := w.join(request)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &Subscription{
		feed:      source,
		view:      view,
		sleeper:   source.Sleeper(),
		timer:     time.NewTimer(openWithin),
		leave:     leave,
		came:      request.ResumeToken,
		resume:    resume,
		heartbeat: request.Heartbeat - request.Heartbeat/heartbeatLead,
		openBy:    now.Add(openWithin),
		beatAt:    now.Add(request.Heartbeat - request.Heartbeat/heartbeatLead),
	}, nil
}

// readToken gives what a client's token says; nil for none.
func readToken(text string) (*token, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // No token is no error.
	}
	resume, err := parseToken(text)
	if err != nil {
		return nil, &participant.Error{
			Reason:  participant.InvalidResumeToken,
			Message: "resume_token: " + err.Error(),
			Violations: []participant.Violation{{
				Field: "resume_token", Rule: "resume_token", Message: err.Error(),
			}},
		}
	}
	return &resume, nil
}

// join takes a subscriber in, as far as the limits allow; leave lets it go.
func (w *Watcher) join(request Request) (source *feed.Feed, shared *view, leave func(), err error) {
	if err := w.enter(); err != nil {
		return nil, nil, nil, err
	}
	source, release, err := w.hub.Acquire(request.Account, request.Conference)
	if err != nil {
		w.exit()
		return nil, nil, nil, err
	}
	shared, err = w.share(source, request.Filter)
	if err != nil {
		release()
		w.exit()
		return nil, nil, nil, err
	}
	return source, shared, func() {
		w.unshare(shared)
		release()
		w.exit()
	}, nil
}

// enter counts a subscriber before anything is begun for it.
func (w *Watcher) enter() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.limits.Subscribers > 0 && w.subscribers >= w.limits.Subscribers {
		return errTooManySubscribers
	}
	w.subscribers++
	return nil
}

func (w *Watcher) exit() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.subscribers--
}

// share gives the view that all subscribers of a feed with this filter have in common.
func (w *Watcher) share(source *feed.Feed, filter participant.Filter) (*view, error) {
	hash := filter.Hash()
	w.mu.Lock()
	defer w.mu.Unlock()
	views := w.views[source]
	if views == nil {
		views = map[participant.FilterHash]*sharedView{}
		w.views[source] = views
	}
	entry := views[hash]
	if entry == nil {
		if len(views) >= maxFilters {
			return nil, errTooManyFilters
		}
		entry = &sharedView{view: &view{feed: source, filter: filter, hash: hash}}
		views[hash] = entry
	}
	entry.subscribers++
	return entry.view, nil
}

func (w *Watcher) unshare(shared *view) {
	w.mu.Lock()
	defer w.mu.Unlock()
	views := w.views[shared.feed]
	entry := views[shared.hash]
	entry.subscribers--
	if entry.subscribers > 0 {
		return
	}
	delete(views, shared.hash)
	if len(views) == 0 {
		delete(w.views, shared.feed)
	}
}

// Subscribers is how many subscriptions are open.
func (w *Watcher) Subscribers() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.subscribers
}
