package upstream

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

const (
	// addsPerWindow adds leave within addWindow at most (A3). The window is a little
	// longer than a second because adds that leave a second apart can arrive closer.
	addsPerWindow = 10
	addWindow     = time.Second + 25*time.Millisecond
	// maxWaitingAdds is how many adds wait at most.
	maxWaitingAdds = 1000
	// checksPerEvent is how many waiting adds are looked at, at each event, whether their
	// turns still come in time.
	checksPerEvent = 8
)

// addPacer lets adds leave at the upstream's rate, measured over a sliding window of
// the last departures, and in the order of its queue. Under its lock nothing else is
// called.
type addPacer struct {
	mu sync.Mutex
	// departures are those of the last window, and those not written yet.
	departures []*departure
	queue      addQueue
	timer      *time.Timer
	// checked is the position of the waiting add that was checked last.
	checked int
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

// enter queues one of the conference's adds, one that had its turn and needs another
// before those that had none. It fails where too many wait.
func (p *addPacer) enter(conference string, again bool) (*waitingAdd, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if n := p.queue.len(); n >= maxWaitingAdds && !again {
		return nil, rateLimited("too many adds wait for their turn", p.estimate(now)(n).Sub(now))
	}
	add := &waitingAdd{turn: make(chan turn, 1)}
	p.queue.enter(conference, add, again)
	p.dispatch(now)
	return add, nil
}

// wait waits for the turn of an add. It fails at once where the turn cannot come before
// the add's deadline; an add whose ctx ends takes no turn.
//
// A departure is held until it is cancelled or done.
func (p *addPacer) wait(ctx context.Context, add *waitingAdd) (*departure, error) {
	if ctx.Err() == nil {
		select {
		case t := <-add.turn:
			return t.departure, t.err
		case <-ctx.Done():
		}
	}
	p.leave(add)
	return nil, over(ctx)
}

// setDeadline says by when the add's turn must come; zero sets no bound.
func (p *addPacer) setDeadline(add *waitingAdd, deadline time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if add.expires != nil {
		add.expires.Stop()
		add.expires = nil
	}
	add.deadline = deadline
	now := time.Now()
	n, waits := p.queue.position(add)
	if !waits || deadline.IsZero() || p.refuseIfLate(add, p.estimate(now)(n), now) {
		return
	}
	// Should the turn come later than it seems now, the deadline ends the wait.
	add.expires = time.AfterFunc(deadline.Sub(now), func() { p.expire(add) })
}

// expire refuses an add that still waits at its deadline.
func (p *addPacer) expire(add *waitingAdd) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	n, waits := p.queue.position(add)
	if waits && !add.deadline.IsZero() && !now.Before(add.deadline) {
		p.refuse(add, p.estimate(now)(n).Sub(now))
		p.dispatch(now)
	}
}

// leave takes back an add that waits, or the turn that it was just given.
func (p *addPacer) leave(add *waitingAdd) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.queue.leave(add) {
		select {
		case t := <-add.turn:
			p.takeBack(t.departure)
		default:
		}
	}
	stop(add.expires)
	p.dispatch(time.Now())
}

// cancel takes back the turn of an add that did not go, as far as is known: one that
// was written counts.
func (p *addPacer) cancel(d *departure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.written.IsZero() {
		p.takeBack(d)
	}
	p.dispatch(time.Now())
}

func (p *addPacer) takeBack(d *departure) {
	p.departures = slices.DeleteFunc(p.departures, func(other *departure) bool { return other == d })
}

// left notes that an add's request was written. A transport may write it again, long
// after, where its first connection refused it.
func (p *addPacer) left(d *departure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	d.written = now
	if !slices.Contains(p.departures, d) {
		p.departures = append(p.departures, d)
	}
	p.dispatch(now)
}

// done ends the departure of a request that is over. Where nobody reported that it was
// written, as not every transport does, it counts from now.
func (p *addPacer) done(d *departure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	d.written = d.at(now)
	p.dispatch(now)
}

// dispatch gives turns to those whose time has come, refuses those of whom it finds that
// their turns would come too late, and makes sure that the next is not forgotten. The
// lock is held.
func (p *addPacer) dispatch(now time.Time) {
	for p.queue.len() > 0 && !p.estimate(now)(0).After(now) {
		p.depart(p.queue.next())
	}
	p.check(now)
	p.wake(now)
}

// depart gives an add its turn.
func (p *addPacer) depart(add *waitingAdd) {
	stop(add.expires)
	d := &departure{}
	p.departures = append(p.departures, d)
	add.turn <- turn{departure: d}
}

// check refuses waiting adds whose turns have come to be too late. It looks at the first,
// and at a few others, each time at the next: so an event costs the same however many
// wait.
func (p *addPacer) check(now time.Time) {
	at := p.estimate(now)
	for range min(p.queue.len(), checksPerEvent) {
		p.checked++
		if p.checked >= p.queue.len() {
			p.checked = 0
		}
		if p.queue.len() > 0 && p.refuseIfLate(p.queue.at(p.checked), at(p.checked), now) {
			p.checked--
		}
	}
	for p.queue.len() > 0 && p.refuseIfLate(p.queue.at(0), at(0), now) {
		p.checked = 0
	}
}

// refuseIfLate ends the wait of an add whose turn would come after its deadline.
func (p *addPacer) refuseIfLate(add *waitingAdd, at, now time.Time) (late bool) {
	if add.deadline.IsZero() || !at.After(add.deadline) {
		return false
	}
	p.refuse(add, at.Sub(now))
	return true
}

func (p *addPacer) refuse(add *waitingAdd, wait time.Duration) {
	p.queue.leave(add)
	stop(add.expires)
	add.turn <- turn{err: tooLate(wait)}
}

// estimate tells when the turn of the add at a position comes, if nobody leaves or comes
// before it: its n-th predecessor among the departures must be out of the window.
func (p *addPacer) estimate(now time.Time) (at func(position int) time.Time) {
	times := p.departed(now)
	free := max(0, addsPerWindow-len(times))
	times = times[max(0, len(times)-addsPerWindow):]
	return func(position int) time.Time {
		windows := position / addsPerWindow
		at := now
		if n := position%addsPerWindow - free; n >= 0 {
			at = latest(now, times[n].Add(addWindow))
		}
		return at.Add(time.Duration(windows) * addWindow)
	}
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

// wake has the next turn given when its time comes.
func (p *addPacer) wake(now time.Time) {
	stop(p.timer)
	p.timer = nil
	if p.queue.len() == 0 {
		return
	}
	p.timer = time.AfterFunc(p.estimate(now)(0).Sub(now), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.dispatch(time.Now())
	})
}

func stop(timer *time.Timer) {
	if timer != nil {
		timer.Stop()
	}
}

// tooLate is the error of an add whose turn would come in a while, after its deadline.
func tooLate(wait time.Duration) error {
	return rateLimited("adds leave at 10 a second, and this one's turn would come after its deadline", wait)
}

func rateLimited(message string, wait time.Duration) error {
	return &apierror.Error{
		Reason: apierror.AddRateLimited, Message: message, Dialled: apierror.DialledNo,
		RetryAfter: max(wait, time.Millisecond),
	}
}

// over is the error of an add whose caller's time is up while it waits.
func over(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return tooLate(time.Second)
	}
	return &apierror.Error{
		Reason: apierror.Cancelled, Message: "the call was cancelled before the participant was added",
		Dialled: apierror.DialledNo, Cause: ctx.Err(),
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
