package account

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

const (
	// addsPerWindow adds leave within addWindow at most (A3). The window is a little
	// longer than a second because adds that leave a second apart can arrive closer.
	addsPerWindow = 10
	addWindow     = time.Second + 25*time.Millisecond
)

// addPacer lets adds leave at the upstream's rate, measured over a sliding window of
// the last departures, and in the order of its queue.
//
// Deadlines are asked for under its lock; nothing else is called.
type addPacer struct {
	mu sync.Mutex
	// departures are those of the last window, and those not written yet.
	departures []*departure
	queue      addQueue
	timer      *time.Timer
}

// departure is one add's leave to go. To get a connection takes time, and the upstream
// counts from when it hears of the add: until the request is written it may do so at
// any moment, so that the departure counts as one of now.
type departure struct {
	// written is when its request was written, zero before.
	written time.Time
}

// at is when the departure counts, as seen now.
func (d *departure) at(now time.Time) time.Time {
	if d.written.IsZero() {
		return now
	}
	return d.written
}

// wait waits for the turn of one of the conference's adds, one that had its turn and
// needs another before those that had none. It fails at once where the turn cannot come
// before ctx's deadline; an add whose ctx ends takes no turn.
//
// A departure is held until it is cancelled or done.
func (p *addPacer) wait(ctx context.Context, conference string, again bool) (*departure, error) {
	if ctx.Err() != nil {
		return nil, over(ctx)
	}
	w := &waiter{deadline: ctx.Deadline, turn: make(chan turn, 1)}
	p.enqueue(conference, w, again)
	select {
	case t := <-w.turn:
		return t.departure, t.err
	case <-ctx.Done():
		p.leave(w)
		return nil, over(ctx)
	}
}

func (p *addPacer) enqueue(conference string, w *waiter, again bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue.enter(conference, w, again)
	p.dispatch()
}

// leave takes back a waiter, or the turn it was just given.
func (p *addPacer) leave(w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case t := <-w.turn:
		p.takeBack(t.departure)
	default:
		p.queue.leave(w)
	}
	p.dispatch()
}

// cancel takes back the turn of an add that did not go, as far as is known: one that
// was written counts.
func (p *addPacer) cancel(d *departure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.written.IsZero() {
		p.takeBack(d)
	}
	p.dispatch()
}

func (p *addPacer) takeBack(d *departure) {
	p.departures = slices.DeleteFunc(p.departures, func(other *departure) bool { return other == d })
}

// left notes that an add's request was written. A transport may write it again, long
// after, where its first connection refused it.
func (p *addPacer) left(d *departure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d.written = time.Now()
	if !slices.Contains(p.departures, d) {
		p.departures = append(p.departures, d)
	}
	p.dispatch()
}

// done ends the departure of a request that is over. Where nobody told that it was
// written, as not every transport does, it counts from now.
func (p *addPacer) done(d *departure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d.written = d.at(time.Now())
	p.dispatch()
}

// dispatch gives turns to those whose time has come, refuses those whose time would
// come too late, and sees to it that the next is not forgotten. The lock is held.
func (p *addPacer) dispatch() {
	now := time.Now()
	times := p.departed(now)
	var next time.Time
	for _, w := range p.queue.order() {
		at := now
		if len(times) >= addsPerWindow {
			at = latest(now, times[len(times)-addsPerWindow].Add(addWindow))
		}
		switch deadline, has := w.deadline(); {
		case has && at.After(deadline):
			p.queue.leave(w)
			w.turn <- turn{err: tooLate(at.Sub(now))}
			continue
		case !at.After(now):
			p.depart(w)
		case next.IsZero():
			next = at
		}
		times = append(times, at)
	}
	p.wake(now, next)
}

// departed forgets departures that are out of the window and gives the others' times,
// in order.
func (p *addPacer) departed(now time.Time) []time.Time {
	p.departures = slices.DeleteFunc(p.departures, func(d *departure) bool { return now.Sub(d.at(now)) >= addWindow })
	times := make([]time.Time, len(p.departures))
	for i, d := range p.departures {
		times[i] = d.at(now)
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

// depart gives a waiter its turn.
func (p *addPacer) depart(w *waiter) {
	p.queue.serve(w)
	d := &departure{}
	p.departures = append(p.departures, d)
	w.turn <- turn{departure: d}
}

// wake has the turns given at next; zero means that nobody waits.
func (p *addPacer) wake(now, next time.Time) {
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	if next.IsZero() {
		return
	}
	p.timer = time.AfterFunc(next.Sub(now), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.dispatch()
	})
}

// tooLate is the error of an add whose turn would come in a while, after its deadline.
func tooLate(wait time.Duration) error {
	return &participant.Error{
		Reason:     participant.AddRateLimited,
		Message:    "adds leave at 10 a second, and this one's turn would come after its deadline",
		RetryAfter: max(wait, time.Millisecond),
	}
}

// over is the error of an add whose caller's time is up while it waits.
func over(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return tooLate(time.Second)
	}
	return &participant.Error{
		Reason: participant.Cancelled, Message: "the call was cancelled before the participant was added",
		Cause: ctx.Err(),
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
