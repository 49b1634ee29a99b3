package watch

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/panics"
)

// maxSleep is how long a group sleeps if none of its conferences needs it earlier.
const maxSleep = time.Minute

// Group is one client's stream of several conferences (A16): a subscription of each, which take
// turns message by message. Only one goroutine may use it.
type Group struct {
	members []*member
	// ready are the members that may have a message, in the order of their turns. It has room
	// for all, and each is in it once at most.
	ready chan *member
	// wakeAt is when a message, such as a heartbeat, may be due although no feed changes; or earlier.
	wakeAt time.Time
	timer  *time.Timer
	// open is the number of members that have not ended.
	open int
	// asking are the goroutines that ask logs.
	asking sync.WaitGroup
}

// GroupRequest is one conference of a group.
type GroupRequest struct {
	Request

	// Allowed ends when the caller may no longer watch the conference.
	Allowed context.Context //nolint:containedctx // Each conference has its own.
}

// Event is one message of a group.
type Event struct {
	Conference string
	// Message is nil if Err is set.
	Message *Message
	// Err is why the conference ended.
	Err error
	// NotAllowed reports that Err is the cause of the end of Allowed.
	NotAllowed bool
}

// SubscribeAll opens a group. A subscription that cannot be opened ends its conference alone. The
// caller closes the group.
func (w *Watcher) SubscribeAll(requests []GroupRequest) *Group {
	g := &Group{
		ready: make(chan *member, len(requests)), open: len(requests),
		wakeAt: time.Now().Add(maxSleep), timer: time.NewTimer(maxSleep),
	}
	for _, request := range requests {
		m := newMember(request, g.ready)
		m.subscribe(w, request.Request)
		m.wake()
		g.members = append(g.members, m)
	}
	return g
}

// Next waits for the next message of any conference and returns it. An event with an Err, or with
// the End of a conference, is the last one of its conference. Next returns io.EOF when all
// conferences have ended, and the cause if ctx ends.
func (g *Group) Next(ctx context.Context) (Event, error) {
	for g.open > 0 {
		m, err := g.turn(ctx)
		if err != nil {
			return Event{}, err
		}
		if m.ended || m.asking.Load() {
			continue
		}
		if m.panicked != nil {
			return Event{}, m.panicked
		}
		event, last := m.event(time.Now())
		switch {
		case last:
			g.open--
			m.close()
			return event, nil
		case event.Message != nil:
			m.wake()
			return event, nil
		default:
			g.idle(m)
		}
	}
	return Event{}, io.EOF
}

// turn returns the member whose turn it is. Messages that are due go before the end of ctx.
func (g *Group) turn(ctx context.Context) (*member, error) {
	for {
		select {
		case m := <-g.ready:
			return m.woken(), nil
		default:
		}
		g.timer.Reset(time.Until(g.wakeAt))
		select {
		case m := <-g.ready:
			return m.woken(), nil
		case <-g.timer.C:
			g.wakeDue(time.Now())
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// idle is called for a member that has no message.
func (g *Group) idle(m *member) {
	if m.subscription.askDue(m.subscription.feed.State()) {
		m.asking.Store(true)
		g.asking.Go(m.ask)
		return
	}
	if at := m.subscription.wakeAt(); at.Before(g.wakeAt) {
		g.wakeAt = at
	}
}

// wakeDue wakes the members that are due, and finds out when the next one is.
func (g *Group) wakeDue(now time.Time) {
	g.wakeAt = now.Add(maxSleep)
	for _, m := range g.members {
		if m.ended || m.asking.Load() {
			continue
		}
		if at := m.subscription.wakeAt(); !at.After(now) {
			m.wake()
		} else if at.Before(g.wakeAt) {
			g.wakeAt = at
		}
	}
}

// Close ends all subscriptions.
func (g *Group) Close() {
	g.timer.Stop()
	for _, m := range g.members {
		m.cancel()
	}
	g.asking.Wait()
	for _, m := range g.members {
		m.close()
	}
}

// ask asks the log, which may take long, while the other conferences go on.
func (m *member) ask() {
	defer m.wake()
	defer m.asking.Store(false)
	defer func() {
		if panicked := recover(); panicked != nil {
			m.panicked = panics.Error(panicked)
		}
	}()
	m.subscription.askLog(m.ctx, m.subscription.feed.State())
}
