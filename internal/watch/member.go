package watch

import (
	"context"
	"sync/atomic"
	"time"
)

// member is one conference of a group. While asking is set the goroutine that asks the log owns
// its subscription, at all other times the user of the group.
type member struct {
	conference   string
	subscription *Subscription
	ctx          context.Context //nolint:containedctx // It ends with Allowed or the group.
	cancel       context.CancelFunc
	// refused is why there is no subscription.
	refused error
	ready   chan<- *member
	// queued reports that the member is in ready.
	queued, asking atomic.Bool
	panicked       error
	// stops end what wakes the member.
	stops []func()
	ended bool
}

func newMember(request GroupRequest, ready chan<- *member) *member {
	m := &member{conference: request.Conference, ready: ready}
	m.ctx, m.cancel = context.WithCancel(request.Allowed)
	return m
}

// subscribe opens the subscription, unless the caller may not watch the conference.
func (m *member) subscribe(w *Watcher, request Request) {
	if m.ctx.Err() != nil {
		return
	}
	if m.subscription, m.refused = w.Subscribe(m.ctx, request); m.refused != nil {
		return
	}
	notAllowed := context.AfterFunc(m.ctx, m.wake)
	m.stops = []func(){m.subscription.Notify(m.wake), func() { notAllowed() }}
}

// wake adds the member to ready, if it is not there. It never blocks.
func (m *member) wake() {
	if m.queued.CompareAndSwap(false, true) {
		m.ready <- m
	}
}

// woken is called for a member that was received from ready. What happens after that adds it again.
func (m *member) woken() *member {
	m.queued.Store(false)
	return m
}

// event returns the message that is due, if any, and reports whether it is the last one.
func (m *member) event(now time.Time) (event Event, last bool) {
	event.Conference = m.conference
	switch {
	case m.ctx.Err() != nil:
		event.Err, event.NotAllowed = context.Cause(m.ctx), true
		return event, true
	case m.subscription == nil:
		event.Err = m.refused
		return event, true
	}
	event.Message, event.Err = m.subscription.due(m.subscription.feed.State(), now)
	return event, event.Err != nil || event.Message != nil && event.Message.End != nil
}

// close ends the subscription. No goroutine may be asking the log.
func (m *member) close() {
	if m.ended {
		return
	}
	m.ended = true
	for _, stop := range m.stops {
		stop()
	}
	m.cancel()
	if m.subscription != nil {
		m.subscription.Close()
	}
}
