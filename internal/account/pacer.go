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

// pacer lets adds leave at the upstream's rate, measured over a sliding window of the
// last departures, and fair between conferences: those with waiting adds take turns,
// and within one who came first goes first.
//
// Deadlines are asked for under its lock; nothing else is called.
type pacer struct {
	mu sync.Mutex
	// departures are those of the last window, oldest first.
	departures []*departure
	// rooms are the conferences with waiting adds, the next to take its turn first.
	rooms []*room
	timer *time.Timer
}

// departure is one add's leave to go.
type departure struct{ at time.Time }

// room is one conference's waiting adds, who came first first. It has at least one.
type room struct {
	conference string
	waiting    []*waiter
}

// waiter is an add that waits for its turn.
type waiter struct {
	// deadline is that of its context, which may move.
	deadline func() (time.Time, bool)
	// turn gets the one outcome.
	turn chan turn
}

type turn struct {
	departure *departure
	err       error
}

// wait waits for the turn of one of the conference's adds, one that had its turn and
// needs another before those that had none. It fails at once where the turn cannot come
// before ctx's deadline; an add whose ctx ends takes no turn.
func (p *pacer) wait(ctx context.Context, conference string, again bool) (*departure, error) {
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

func (p *pacer) enqueue(conference string, w *waiter, again bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.rooms, func(r *room) bool { return r.conference == conference })
	if i < 0 {
		i = len(p.rooms)
		p.rooms = append(p.rooms, &room{conference: conference})
	}
	at := len(p.rooms[i].waiting)
	if again {
		at = 0
	}
	p.rooms[i].waiting = slices.Insert(p.rooms[i].waiting, at, w)
	p.dispatch()
}

// leave takes back a waiter, or the turn it was just given.
func (p *pacer) leave(w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case t := <-w.turn:
		p.takeBack(t.departure)
	default:
		p.remove(w)
	}
	p.dispatch()
}

// cancel takes back the turn of an add that did not go.
func (p *pacer) cancel(d *departure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takeBack(d)
	p.dispatch()
}

func (p *pacer) takeBack(d *departure) {
	p.departures = slices.DeleteFunc(p.departures, func(other *departure) bool { return other == d })
}

// left notes that an add left only now: to get a connection takes time, and the
// upstream counts from when it hears of the add.
func (p *pacer) left(d *departure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d.at = time.Now()
	slices.SortStableFunc(p.departures, func(a, b *departure) int { return a.at.Compare(b.at) })
}

// dispatch gives turns to those whose time has come, refuses those whose time would
// come too late, and sees to it that the next is not forgotten. The lock is held.
func (p *pacer) dispatch() {
	now := time.Now()
	times := p.departed(now)
	var next time.Time
	for _, w := range p.order() {
		at := now
		if len(times) >= addsPerWindow {
			at = latest(now, times[len(times)-addsPerWindow].Add(addWindow))
		}
		switch deadline, has := w.deadline(); {
		case has && at.After(deadline):
			p.remove(w)
			w.turn <- turn{err: tooLate(at.Sub(now))}
			continue
		case !at.After(now):
			p.depart(w, now)
		case next.IsZero():
			next = at
		}
		times = append(times, at)
	}
	p.wake(now, next)
}

// departed forgets departures that are out of the window and gives the others' times.
func (p *pacer) departed(now time.Time) []time.Time {
	p.departures = slices.DeleteFunc(p.departures, func(d *departure) bool { return now.Sub(d.at) >= addWindow })
	times := make([]time.Time, len(p.departures))
	for i, d := range p.departures {
		times[i] = d.at
	}
	return times
}

// order is the waiters in the order of their turns.
func (p *pacer) order() []*waiter {
	var order []*waiter
	for round, more := 0, true; more; round++ {
		more = false
		for _, r := range p.rooms {
			if round < len(r.waiting) {
				order = append(order, r.waiting[round])
				more = true
			}
		}
	}
	return order
}

// depart gives a waiter its turn; the others of its room have theirs after the other
// rooms'.
func (p *pacer) depart(w *waiter, now time.Time) {
	if r := p.remove(w); len(r.waiting) > 0 {
		i := slices.Index(p.rooms, r)
		p.rooms = append(slices.Delete(p.rooms, i, i+1), r)
	}
	d := &departure{at: now}
	p.departures = append(p.departures, d)
	w.turn <- turn{departure: d}
}

// remove takes a waiter out of its room, and the room away with its last; nil where the
// waiter has left already.
func (p *pacer) remove(w *waiter) *room {
	for i, r := range p.rooms {
		at := slices.Index(r.waiting, w)
		if at < 0 {
			continue
		}
		r.waiting = slices.Delete(r.waiting, at, at+1)
		if len(r.waiting) == 0 {
			p.rooms = slices.Delete(p.rooms, i, i+1)
		}
		return r
	}
	return nil
}

// wake has the turns given at next; zero means that nobody waits.
func (p *pacer) wake(now, next time.Time) {
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
		Reason:  participant.AddRateLimited,
		Message: "adds leave at 10 a second, and this one's turn would come after its deadline",
		Dialled: participant.DialledNo, RetryAfter: max(wait, time.Millisecond),
	}
}

// over is the error of an add whose caller's time is up while it waits.
func over(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return tooLate(time.Second)
	}
	return &participant.Error{
		Reason: participant.Cancelled, Message: "the call was cancelled before the participant was added",
		Dialled: participant.DialledNo, Cause: ctx.Err(),
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
