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
	// At most addsPerWindow adds are sent within addWindow (A3). The window is longer than a
	// second because adds that are sent a second apart can arrive closer.
	addsPerWindow = 10
	addWindow     = time.Second + 25*time.Millisecond
	// AddInterval is the average time between two adds at that rate.
	AddInterval = addWindow / addsPerWindow
	// maxWaitingAdds bounds the queue.
	maxWaitingAdds = 1000
	// checksPerEvent is how many queued adds are checked at each event for a deadline that
	// can no longer be met.
	checksPerEvent = 8
)

// addPacer grants adds in the order of its queue, at the upstream's rate over a sliding
// window. It calls nothing else under its lock.
type addPacer struct {
	// turns is nil if no other process sends adds of the account.
	turns AddTurns

	mu sync.Mutex
	// grants are those of the last window, and those whose request is not written yet.
	grants []*grant
	queue  addQueue
	timer  *time.Timer
	// checked is the position of the queued add that was checked last.
	checked int
	// every is that of the last forecast.
	every int
}

// grant is the permission to send one add. The upstream counts an add when it receives it, and
// the request may wait for a connection. Until it is written, the grant counts as one of now.
type grant struct {
	// written is when the request was written; zero before.
	written time.Time
	// turn is nil if no other process sends adds of the account.
	turn Turn
}

// write notes that the request was written.
func (g *grant) write(now time.Time) {
	g.written = now
	if g.turn != nil {
		g.turn.Sent()
	}
}

// at returns the time for which the grant counts.
func (g *grant) at(now time.Time) time.Time {
	if g.written.IsZero() {
		return now
	}
	return g.written
}

// enqueue queues one add. An add that is sent again goes first. It fails if too many wait, but
// not for a batch, which waits with one add at a time.
func (p *addPacer) enqueue(name queueName, again bool) (*queuedAdd, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if n := p.queue.len(); n >= maxWaitingAdds && !again && name.batch == "" {
		return nil, rateLimited("too many adds are queued", p.estimate(now)(n).Sub(now))
	}
	add := &queuedAdd{result: make(chan grantResult, 1)}
	p.queue.push(name, add, again)
	p.grantDue(now)
	return add, nil
}

// wait waits for the grant of an add. It fails at once if that cannot come before the add's
// deadline, and when ctx ends. The caller ends the grant with cancel or done.
func (p *addPacer) wait(ctx context.Context, add *queuedAdd) (*grant, error) {
	if ctx.Err() == nil {
		select {
		case r := <-add.result:
			return r.grant, r.err
		case <-ctx.Done():
		}
	}
	p.withdraw(add)
	return nil, queueWaitEnded(ctx)
}

// setDeadline sets the time by which the add must be granted; zero sets no bound.
func (p *addPacer) setDeadline(add *queuedAdd, deadline time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if add.expires != nil {
		add.expires.Stop()
		add.expires = nil
	}
	add.deadline = deadline
	now := time.Now()
	n, waits := p.queue.position(add)
	if !waits || deadline.IsZero() || p.rejectIfLate(add, p.estimate(now)(n), now) {
		return
	}
	// The grant may come later than estimated now: then the deadline ends the wait.
	add.expires = time.AfterFunc(deadline.Sub(now), func() { p.expire(add) })
}

// expire rejects an add that still waits at its deadline.
func (p *addPacer) expire(add *queuedAdd) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	n, waits := p.queue.position(add)
	if waits && !add.deadline.IsZero() && !now.Before(add.deadline) {
		p.reject(add, p.estimate(now)(n).Sub(now))
		p.grantDue(now)
	}
}

// withdraw removes an add from the queue, or revokes the grant that it just got.
func (p *addPacer) withdraw(add *queuedAdd) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.queue.remove(add) {
		select {
		case r := <-add.result:
			p.revoke(r.grant)
		default:
		}
	}
	stop(add.expires)
	p.grantDue(time.Now())
}

// cancel ends the grant of an add that was not sent. If its request was written, it counts.
func (p *addPacer) cancel(g *grant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if g.written.IsZero() {
		p.revoke(g)
	}
	p.grantDue(time.Now())
}

func (p *addPacer) revoke(g *grant) {
	if g != nil && g.turn != nil {
		g.turn.Return()
	}
	p.grants = slices.DeleteFunc(p.grants, func(other *grant) bool { return other == g })
}

// markWritten notes that an add's request was written. A transport may write it again much
// later, if its first connection refused it.
func (p *addPacer) markWritten(g *grant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	g.write(now)
	if !slices.Contains(p.grants, g) {
		p.grants = append(p.grants, g)
	}
	p.grantDue(now)
}

// done ends the grant of an add that was sent. If the transport did not report that the
// request was written, the grant counts from now.
func (p *addPacer) done(g *grant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if g.written.IsZero() {
		g.write(now)
	}
	p.grantDue(now)
}

// grantDue grants the adds that may be sent now, rejects adds that would be granted too late,
// and sets the timer for the next grant. The lock is held.
func (p *addPacer) grantDue(now time.Time) {
	for p.queue.len() > 0 {
		g := p.take(now)
		if g == nil {
			break
		}
		p.grantNext(p.queue.pop(), g)
	}
	stop(p.timer)
	p.timer = nil
	if p.queue.len() > 0 {
		p.rejectLate(now, checksPerEvent)
		p.setTimer(now)
	}
	p.want()
}

// grantNext grants an add that has left the queue.
func (p *addPacer) grantNext(add *queuedAdd, g *grant) {
	stop(add.expires)
	p.grants = append(p.grants, g)
	add.result <- grantResult{grant: g}
}

// rejectLate rejects queued adds that can no longer be granted in time. It checks the first,
// and a few others in turn, so that the cost of an event does not depend on the queue.
func (p *addPacer) rejectLate(now time.Time, checks int) {
	at := p.estimate(now)
	for range min(p.queue.len(), checks) {
		p.checked++
		if p.checked >= p.queue.len() {
			p.checked = 0
		}
		if p.queue.len() > 0 && p.rejectIfLate(p.queue.at(p.checked), at(p.checked), now) {
			p.checked--
		}
	}
	for p.queue.len() > 0 && p.rejectIfLate(p.queue.at(0), at(0), now) {
		p.checked = 0
	}
}

// rejectIfLate ends the wait of an add that would be granted after its deadline.
func (p *addPacer) rejectIfLate(add *queuedAdd, at, now time.Time) (late bool) {
	if add.deadline.IsZero() || !at.After(add.deadline) {
		return false
	}
	p.reject(add, at.Sub(now))
	return true
}

func (p *addPacer) reject(add *queuedAdd, wait time.Duration) {
	p.queue.remove(add)
	stop(add.expires)
	add.result <- grantResult{err: tooLate(wait)}
}

// grantTimes drops grants that are out of the window and returns the times of the others, in
// order.
func (p *addPacer) grantTimes(now time.Time) []time.Time {
	span := p.rate().span
	p.grants = slices.DeleteFunc(p.grants, func(g *grant) bool { return now.Sub(g.at(now)) >= span })
	times := make([]time.Time, len(p.grants))
	for i, g := range p.grants {
		times[i] = g.at(now)
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

// setTimer sets the timer for the next grant.
func (p *addPacer) setTimer(now time.Time) {
	if p.queue.len() == 0 || p.shares() {
		return
	}
	p.timer = time.AfterFunc(p.estimate(now)(0).Sub(now), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.grantDue(time.Now())
	})
}

func stop(timer *time.Timer) {
	if timer != nil {
		timer.Stop()
	}
}

// tooLate is the error of an add that would be granted after its deadline.
func tooLate(wait time.Duration) error {
	return rateLimited("the limit is 10 adds a second, and this add would have to wait beyond its deadline", wait)
}

func rateLimited(message string, wait time.Duration) error {
	return &apierror.Error{
		Reason: apierror.AddRateLimited, Message: message, Dialled: apierror.DialledNo,
		RetryAfter: max(wait, time.Millisecond),
	}
}

// queueWaitEnded is the error of an add whose ctx ends while it is queued.
func queueWaitEnded(ctx context.Context) error {
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
