package sharedpace

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/panics"
)

const (
	// retryEvery is how often Redis is asked while it seems to work, but calls fail.
	retryEvery = 200 * time.Millisecond
	// tooOld is the age of a turn that is not used: the process was stopped meanwhile.
	tooOld = time.Second
	never  = time.Duration(math.MaxInt64)
)

// turns asks Redis for one turn at a time. T says which turn it is.
type turns[T any] struct {
	options Options
	// ask calls Redis. It asks for a turn if want is true.
	ask func(ctx context.Context, want bool) (answer[T], error)
	// discard ends a turn that came too late; it may be nil.
	discard func(turn T)
	// returnAfter is how long this process still takes its turns alone after Redis is back.
	returnAfter time.Duration
	// waitsOn is true if Redis thinks after each turn that the next one is wanted.
	waitsOn bool
	// wake has an element if the loop must check again what is due.
	wake chan struct{}

	mu      sync.Mutex
	changed func()
	// wanted is true if somebody waits for a turn, and registered if Redis knows that.
	wanted, registered bool
	// granted is true if a turn was given, and comes at turnAt.
	granted bool
	turn    T
	turnAt  time.Time
	// Before askAt Redis is not asked for a turn. If mustCall is true, it is called at once.
	askAt    time.Time
	mustCall bool
	// away is true after a call failed. aloneUntil is when the turns are shared again.
	away       bool
	aloneUntil time.Time
	// reportedAlone is true if the user was notified while aloneUntil was not over.
	reportedAlone bool
}

// answer is what Redis answers.
type answer[T any] struct {
	// granted is true if a turn was given; it comes after wait. Otherwise Redis is asked again
	// after wait.
	granted bool
	turn    T
	wait    time.Duration
}

func newTurns[T any](options Options) *turns[T] {
	return &turns[T]{options: options, wake: make(chan struct{}, 1), changed: func() {}, away: !options.Conn.Available()}
}

func (t *turns[T]) start(changed func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed = changed
}

// alone returns by how much the process divides the rates.
func (t *turns[T]) alone() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.away || t.reportedAlone {
		return max(1, t.options.Replicas())
	}
	return 0
}

// want records whether somebody waits. If urgent is true, Redis is asked at once.
func (t *turns[T]) want(wanted, urgent bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if wanted == t.wanted && !urgent {
		return
	}
	if wanted && (urgent || !t.wanted) {
		t.askAt = time.Time{}
	}
	t.wanted = wanted
	t.wakeUp()
}

// callNow makes the loop call Redis at once.
func (t *turns[T]) callNow() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mustCall = true
	t.wakeUp()
}

func (t *turns[T]) wakeUp() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// take takes a turn that has come.
func (t *turns[T]) take() (turn T, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.granted || time.Now().Before(t.turnAt) {
		return turn, false
	}
	t.granted = false
	t.wakeUp()
	return t.turn, true
}

// run asks Redis until ctx ends.
func (t *turns[T]) run(ctx context.Context) {
	for ctx.Err() == nil {
		wait := retryEvery
		var back <-chan struct{}
		_ = panics.Recover(t.options.Logger, "turns of all replicas", func() { wait, back = t.step(ctx) })
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-t.wake:
		case <-timer.C:
		case <-back:
		}
		timer.Stop()
	}
}

// step does what is due, and returns how long to wait, or until Redis is back.
func (t *turns[T]) step(ctx context.Context) (wait time.Duration, back <-chan struct{}) {
	back = t.options.Conn.Changed()
	switch due, wait := t.due(time.Now()); due {
	case toNotify:
		t.notifyDue()
	case toCall:
		if !t.callRedis(ctx) {
			return t.retryAfter(), back
		}
	default:
		return wait, nil
	}
	return 0, nil
}

type action uint8

const (
	toWait action = iota
	toNotify
	toCall
)

// due returns what is due now, and if nothing is, how long to wait.
func (t *turns[T]) due(now time.Time) (due action, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	alone := now.Before(t.aloneUntil)
	switch {
	case t.away || t.mustCall || t.registered && !t.wanted:
		return toCall, 0
	case t.reportedAlone != alone, t.granted && (!t.wanted || !now.Before(t.turnAt)):
		return toNotify, 0
	case t.granted:
		return toWait, t.turnAt.Sub(now)
	case alone:
		return toWait, t.aloneUntil.Sub(now)
	case !t.wanted:
		return toWait, never
	case now.Before(t.askAt):
		return toWait, t.askAt.Sub(now)
	}
	return toCall, 0
}

// notifyDue notifies the user of a turn that has come, or that the process begins or stops to take
// its turns alone. A turn that nobody takes then is discarded.
func (t *turns[T]) notifyDue() {
	t.mu.Lock()
	t.reportedAlone = time.Now().Before(t.aloneUntil)
	hasCome := t.granted && !time.Now().Before(t.turnAt)
	t.mu.Unlock()
	t.notify()
	t.mu.Lock()
	unused := t.granted && (hasCome || !t.wanted)
	t.granted = t.granted && !unused
	turn := t.turn
	t.mu.Unlock()
	if unused && t.discard != nil {
		t.discard(turn)
	}
}

// callRedis calls Redis, and asks for a turn if one is wanted. It reports whether Redis works.
func (t *turns[T]) callRedis(ctx context.Context) (works bool) {
	t.mu.Lock()
	began := time.Now()
	want := t.wanted && !t.granted && !t.away && !began.Before(t.aloneUntil)
	t.mustCall = false
	t.mu.Unlock()
	a, err := t.ask(ctx, want)
	tooLate := a.granted && time.Since(began) > tooOld
	if tooLate && t.discard != nil {
		t.discard(a.turn)
	}
	t.record(a, err, want, tooLate)
	t.notify()
	return err == nil
}

// notify notifies the user of a change, with no lock held.
func (t *turns[T]) notify() {
	t.mu.Lock()
	changed := t.changed
	t.mu.Unlock()
	changed()
}

// record records what a call has found.
func (t *turns[T]) record(a answer[T], err error, want, tooLate bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if t.away && err == nil {
		t.aloneUntil = now.Add(t.returnAfter)
	}
	t.away = err != nil
	t.registered = err == nil && want && (t.waitsOn || !a.granted)
	switch {
	case err != nil || !want || tooLate:
	case a.granted:
		t.granted, t.turn, t.turnAt = true, a.turn, now.Add(a.wait)
	default:
		t.askAt = now.Add(a.wait)
	}
	t.reportedAlone = now.Before(t.aloneUntil)
}

// retryAfter is how long to wait after a failed call: until Redis is back, if it is away.
func (t *turns[T]) retryAfter() time.Duration {
	if t.options.Conn.Available() {
		return retryEvery
	}
	return never
}
