// Package watch is one subscriber: a cursor over a feed's log, seen through a filter,
// that gives message after message as watch.md promises them.
package watch

import (
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
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
	conferences map[*feed.Feed]*conference
}

// conference is what the subscribers of one feed share.
type conference struct {
	cache cache
	views map[participant.FilterHash]*sharedView
	// filters is how many of the views count against maxFilters.
	filters int
}

type sharedView struct {
	view *view
	// subscribers is how many share it.
	subscribers int
}

// NewWatcher returns a watcher of the hub's feeds.
func NewWatcher(hub *feed.Hub, limits Limits) *Watcher {
	return &Watcher{hub: hub, limits: limits, conferences: map[*feed.Feed]*conference{}}
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
	w.mu.Lock()
	defer w.mu.Unlock()
	shared := w.conferences[source]
	if shared == nil {
		shared = &conference{views: map[participant.FilterHash]*sharedView{}}
		w.conferences[source] = shared
	}
	entry := shared.views[filter.Hash()]
	if entry == nil {
		if isCounted(filter) && shared.filters >= maxFilters {
			return nil, errTooManyFilters
		}
		entry = shared.add(newView(source, filter, &shared.cache))
	}
	entry.subscribers++
	return entry.view, nil
}

func (c *conference) add(v *view) *sharedView {
	entry := &sharedView{view: v}
	c.views[v.hash] = entry
	if isCounted(v.filter) {
		c.filters++
	}
	return entry
}

func (c *conference) remove(v *view) {
	delete(c.views, v.hash)
	if isCounted(v.filter) {
		c.filters--
	}
}

// unshare lets a subscriber's view go. The last one's takes with it what it kept.
func (w *Watcher) unshare(v *view) {
	w.mu.Lock()
	defer w.mu.Unlock()
	shared := w.conferences[v.feed]
	entry := shared.views[v.hash]
	entry.subscribers--
	if entry.subscribers > 0 {
		return
	}
	v.drop()
	shared.remove(v)
	if len(shared.views) == 0 {
		delete(w.conferences, v.feed)
	}
}

// Subscribers is how many subscriptions are open.
func (w *Watcher) Subscribers() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.subscribers
}
