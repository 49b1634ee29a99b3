package access

import (
	"sync"
	"time"

	"golang.org/x/time/rate" //nolint:depguard // Calls may burst; only adds must not.

	"github.com/audian/participant-gateway/internal/apierror"
)

// Limits are the limits of each caller; 0 is no limit.
type Limits struct {
	// Calls is calls per second, and the size of a burst.
	Calls int
	// Streams is open streams.
	Streams int
}

// Limiter enforces the limits per caller. It does not limit anonymous callers: one of
// them could use up the share of the others.
type Limiter struct {
	limits Limits

	mu     sync.Mutex
	usages map[string]*usage
	// sweepAt is the number of usages at which sweep removes idle ones.
	sweepAt int
}

// usage is what one caller uses.
type usage struct {
	calls   *rate.Limiter
	streams int
}

// minSweep is the least number of usages at which a sweep is worth its time.
const minSweep = 1024

// NewLimiter returns a limiter.
func NewLimiter(limits Limits) *Limiter {
	return &Limiter{limits: limits, usages: map[string]*usage{}, sweepAt: minSweep}
}

// Call counts a call, or refuses it.
func (l *Limiter) Call(caller Caller) error {
	if l.limits.Calls == 0 || caller.Anonymous {
		return nil
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	reservation := l.usageOf(caller, now).calls.ReserveN(now, 1)
	if wait := reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		return tooManyCalls(wait)
	}
	return nil
}

// OpenStream counts a stream until it is released, or refuses it.
func (l *Limiter) OpenStream(caller Caller) (release func(), err error) {
	if l.limits.Streams == 0 || caller.Anonymous {
		return func() {}, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	used := l.usageOf(caller, time.Now())
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

// usageOf returns the usage of a caller. The lock is held.
func (l *Limiter) usageOf(caller Caller, now time.Time) *usage {
	used := l.usages[caller.Name]
	if used == nil {
		l.sweep(now)
		used = &usage{calls: rate.NewLimiter(rate.Limit(l.limits.Calls), l.limits.Calls)}
		l.usages[caller.Name] = used
	}
	return used
}

// sweep removes the usages of callers without a call in the last second and without a
// stream, so that made-up names do not fill the memory. The next sweep comes when the
// number of usages has doubled. The lock is held.
func (l *Limiter) sweep(now time.Time) {
	if len(l.usages) < l.sweepAt {
		return
	}
	for name, used := range l.usages {
		if used.streams == 0 && used.calls.TokensAt(now) >= float64(l.limits.Calls) {
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
