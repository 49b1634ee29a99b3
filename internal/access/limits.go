package access

import (
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

// Limits bound what each caller may take; 0 is no limit.
type Limits struct {
	// Calls are a second's calls; as many may come at once.
	Calls int
	// Streams are the streams open at once.
	Streams int
}

// Limiter holds callers to their limits. Callers who cannot be told apart are not held
// to any: one of them could use up the others' share.
type Limiter struct {
	limits Limits

	mu     sync.Mutex
	usages map[string]*usage
	// sweepAt is the number of usages at which idle ones are looked for.
	sweepAt int
}

// usage is what one caller has taken.
type usage struct {
	// paidAt is when the calls made so far are paid for, one after the other.
	paidAt  time.Time
	streams int
}

// minSweep is how many usages are never worth looking through.
const minSweep = 1024

// NewLimiter returns a limiter that has seen nobody.
func NewLimiter(limits Limits) *Limiter {
	return &Limiter{limits: limits, usages: map[string]*usage{}, sweepAt: minSweep}
}

// Call counts a call, or refuses it.
func (l *Limiter) Call(caller Caller) error {
	if l.limits.Calls == 0 || caller.Unnamed {
		return nil
	}
	price := time.Second / time.Duration(l.limits.Calls)
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	used := l.of(caller, now)
	due := now
	if used.paidAt.After(now) {
		due = used.paidAt
	}
	if wait := due.Sub(now) + price - time.Second; wait > 0 {
		return tooManyCalls(wait)
	}
	used.paidAt = due.Add(price)
	return nil
}

// OpenStream counts a stream until it is released, or refuses it.
func (l *Limiter) OpenStream(caller Caller) (release func(), err error) {
	if l.limits.Streams == 0 || caller.Unnamed {
		return func() {}, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	used := l.of(caller, time.Now())
	if used.streams >= l.limits.Streams {
		return nil, tooManyStreams()
	}
	used.streams++
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		used.streams--
	}), nil
}

// of is a caller's usage. The lock is held.
func (l *Limiter) of(caller Caller, now time.Time) *usage {
	used := l.usages[caller.Name]
	if used == nil {
		l.sweep(now)
		used = &usage{}
		l.usages[caller.Name] = used
	}
	return used
}

// sweep forgets those who owe nothing, so that the memory is bounded by the calls of
// the last second and the streams open, whatever names callers make up. It looks
// again only when as many more have come. The lock is held.
func (l *Limiter) sweep(now time.Time) {
	if len(l.usages) < l.sweepAt {
		return
	}
	for name, used := range l.usages {
		if used.streams == 0 && !used.paidAt.After(now) {
			delete(l.usages, name)
		}
	}
	l.sweepAt = max(minSweep, 2*len(l.usages))
}

func tooManyCalls(wait time.Duration) error {
	return &apierror.Error{
		Reason:     apierror.CallerRateLimited,
		Message:    "you make too many calls a second; call again later",
		RetryAfter: wait,
	}
}

func tooManyStreams() error {
	return &apierror.Error{
		Reason:  apierror.TooManyStreams,
		Message: "you have too many streams open; close one first",
	}
}
