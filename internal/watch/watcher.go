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
	hub *feed.Hub

	mu    sync.Mutex
	views map[viewKey]*sharedView
}

type viewKey struct {
	feed   *feed.Feed
	filter participant.FilterHash
}

type sharedView struct {
	view *view
	// subscribers is how many share it.
	subscribers int
}

// NewWatcher returns a watcher of the hub's feeds.
func NewWatcher(hub *feed.Hub) *Watcher {
	return &Watcher{hub: hub, views: map[viewKey]*sharedView{}}
}

// Subscribe opens a subscription. It fails only where the token is none of ours.
// The caller closes it.
func (w *Watcher) Subscribe(request Request) (*Subscription, error) {
	resume, err := readToken(request.ResumeToken)
	if err != nil {
		return nil, err
	}
	source, release := w.hub.Acquire(request.Account, request.Conference)
	view, leave := w.view(source, request.Filter)
	now := time.Now()
	return &Subscription{
		feed:      source,
		view:      view,
		sleeper:   source.Sleeper(),
		timer:     time.NewTimer(openWithin),
		leave:     func() { leave(); release() },
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

// view gives the view that all subscribers of a feed with this filter share.
func (w *Watcher) view(source *feed.Feed, filter participant.Filter) (shared *view, leave func()) {
	key := viewKey{feed: source, filter: filter.Hash()}
	w.mu.Lock()
	defer w.mu.Unlock()
	entry := w.views[key]
	if entry == nil {
		entry = &sharedView{view: &view{feed: source, filter: filter, hash: key.filter}}
		w.views[key] = entry
	}
	entry.subscribers++
	return entry.view, func() { w.leave(key, entry) }
}

func (w *Watcher) leave(key viewKey, entry *sharedView) {
	w.mu.Lock()
	defer w.mu.Unlock()
	entry.subscribers--
	if entry.subscribers == 0 {
		delete(w.views, key)
	}
}

// Subscribers is how many subscriptions are open.
func (w *Watcher) Subscribers() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	subscribers := 0
	for _, entry := range w.views {
		subscribers += entry.subscribers
	}
	return subscribers
}
