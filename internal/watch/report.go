package watch

import (
	"sync/atomic"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
)

// Report is what the subscribers of one feed share, for the operator.
type Report struct {
	Subscribers int
	// Filters are the filters in use, in no order, but those on a single participant: they are
	// not limited, and Single is their number.
	Filters []FilterReport
	Single  int
	// Bytes is the approximate memory of the messages and encodings that are kept.
	Bytes int
}

// FilterReport is a filter in use.
type FilterReport struct {
	Filter      participant.Filter
	Subscribers int
}

// Reports returns a report of each feed that has subscribers.
func (w *Watcher) Reports() map[*feed.Feed]Report {
	reports, caches := w.countViews()
	for source, cache := range caches {
		report := reports[source]
		report.Bytes = cache.size()
		reports[source] = report
	}
	return reports
}

// countViews returns the reports without their Bytes, and the caches, whose locks are held longer
// than w.mu may be.
func (w *Watcher) countViews() (reports map[*feed.Feed]Report, caches map[*feed.Feed]*renderingCache) {
	w.mu.Lock()
	defer w.mu.Unlock()
	reports = make(map[*feed.Feed]Report, len(w.conferences))
	caches = make(map[*feed.Feed]*renderingCache, len(w.conferences))
	for source, c := range w.conferences {
		reports[source], caches[source] = c.report(), &c.cache
	}
	return reports, caches
}

func (c *conference) report() (r Report) {
	for _, shared := range c.views {
		r.Subscribers += shared.refs
		if isCounted(shared.view.filter) {
			r.Filters = append(r.Filters, FilterReport{Filter: shared.view.filter, Subscribers: shared.refs})
		} else {
			r.Single++
		}
	}
	return r
}

func (c *renderingCache) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// SubscriptionReport is one open subscription, for the operator.
type SubscriptionReport struct {
	// Stream is the number of the client's stream.
	Stream uint64
	Key    participant.Key
	Filter participant.Filter
	// Opened reports that the client has got a snapshot, or that its token was accepted. Seq is its
	// position then, and Behind how many batches of changes follow it that it has not got.
	Opened      bool
	Seq, Behind uint64
}

// Subscriptions returns a report of each open subscription, in no order.
func (w *Watcher) Subscriptions() []SubscriptionReport {
	open := w.listed()
	reports := make([]SubscriptionReport, len(open))
	for i, s := range open {
		reports[i] = s.report()
	}
	return reports
}

func (w *Watcher) listed() []*Subscription {
	w.mu.Lock()
	defer w.mu.Unlock()
	open := make([]*Subscription, 0, len(w.open))
	for s := range w.open {
		open = append(open, s)
	}
	return open
}

// report may be called while another goroutine uses the subscription.
func (s *Subscription) report() SubscriptionReport {
	r := SubscriptionReport{Stream: s.stream, Key: s.feed.Key(), Filter: s.view.filter}
	var epoch feed.Epoch
	epoch, r.Seq, r.Opened = s.reached.get()
	head := s.feed.State().Position
	switch {
	case !r.Opened:
	case epoch != head.Epoch:
		r.Behind = 1 // The snapshot of the new log.
	case head.Seq > r.Seq:
		r.Behind = s.view.broadcast.behind(s.view, feed.Position{Epoch: epoch, Seq: r.Seq}, head)
	}
	return r
}

// reached is a position that one goroutine sets, and others read without holding it up. While it
// moves to another log, a reader may get the new number with the old epoch.
type reached struct {
	epoch atomic.Pointer[feed.Epoch]
	seq   atomic.Uint64
}

// move sets the position, which was another one before.
func (r *reached) move(from, to feed.Position) {
	r.seq.Store(to.Seq)
	if from.Epoch != to.Epoch {
		epoch := to.Epoch // So that to itself needs no memory of its own.
		r.epoch.Store(&epoch)
	}
}

func (r *reached) get() (epoch feed.Epoch, seq uint64, known bool) {
	at := r.epoch.Load()
	if at == nil {
		return feed.Epoch{}, 0, false
	}
	return *at, r.seq.Load(), true
}
