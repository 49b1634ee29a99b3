package access

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

var ada, bob = Caller{Name: "ada"}, Caller{Name: "bob"}

func allowed(l *Limiter, caller Caller, calls int) (passed int) {
	for range calls {
		if l.Call(caller) == nil {
			passed++
		}
	}
	return passed
}

func TestLimiterCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(Limits{Calls: 10})
		for _, step := range []struct {
			caller      Caller
			after       time.Duration
			calls, want int
		}{
			{ada, 0, 25, 10}, // A burst of one second.
			{bob, 0, 25, 10}, // Another caller is not affected.
			{ada, 99 * time.Millisecond, 1, 0},
			{ada, time.Millisecond, 2, 1},
			{ada, 500 * time.Millisecond, 25, 5},
			{ada, time.Hour, 25, 10}, // Unused calls do not accumulate.
			{Caller{Name: "anonymous", Anonymous: true}, 0, 1000, 1000},
		} {
			time.Sleep(step.after)
			if got := allowed(l, step.caller, step.calls); got != step.want {
				t.Errorf("%s, %v later: %d of %d calls passed, want %d", step.caller.Name, step.after, got, step.calls, step.want)
			}
		}
	})
}

func TestLimiterReturnsTheRetryDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(Limits{Calls: 4})
		allowed(l, ada, 4)
		refused, _ := errors.AsType[*apierror.Error](l.Call(ada))
		if refused == nil || refused.Reason != apierror.CallerRateLimited || refused.RetryAfter != 250*time.Millisecond {
			t.Fatalf("got %v", refused)
		}
		time.Sleep(refused.RetryAfter)
		if err := l.Call(ada); err != nil {
			t.Errorf("after the retry delay: %v", err)
		}
	})
}

func TestW12_StreamsOfACallerAreLimited(t *testing.T) {
	l := NewLimiter(Limits{Streams: 2})
	first, _ := l.OpenStream(ada)
	if _, err := l.OpenStream(ada); err != nil {
		t.Fatal(err)
	}
	if _, err := l.OpenStream(ada); apierror.ReasonOf(err) != apierror.TooManyStreams {
		t.Errorf("the third stream: %v", err)
	}
	if _, err := l.OpenStream(bob); err != nil {
		t.Errorf("another caller's stream: %v", err)
	}
	first()
	first() // The second call has no effect.
	if _, err := l.OpenStream(ada); err != nil {
		t.Errorf("after a release: %v", err)
	}
	if _, err := l.OpenStream(ada); err == nil {
		t.Error("a release counted twice")
	}
}

func TestLimiterWithoutLimits(t *testing.T) {
	l := NewLimiter(Limits{})
	for range 10_000 {
		if err := l.Call(ada); err != nil {
			t.Fatal(err)
		}
		if _, err := l.OpenStream(ada); err != nil {
			t.Fatal(err)
		}
	}
	if len(l.usages) != 0 {
		t.Errorf("it remembers %d callers", len(l.usages))
	}
}

func TestLimiterForgetsIdleCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(Limits{Calls: 10, Streams: 10})
		release, _ := l.OpenStream(ada)
		defer release()
		for i := range 100 * minSweep {
			allowed(l, Caller{Name: fmt.Sprint("invented ", i)}, 1)
			time.Sleep(time.Millisecond)
		}
		if got := len(l.usages); got > 2*minSweep {
			t.Errorf("it remembers %d callers", got)
		}
		if l.usages["ada"] == nil {
			t.Error("it forgot an open stream")
		}
	})
}

func TestLimiterIsSafeForConcurrentUse(t *testing.T) {
	l := NewLimiter(Limits{Calls: 1000, Streams: 8})
	var open, most atomic.Int64
	var working sync.WaitGroup
	for range 16 {
		working.Go(func() {
			for range 200 {
				_ = l.Call(ada)
				release, err := l.OpenStream(ada)
				if err != nil {
					continue
				}
				if now := open.Add(1); now > most.Load() {
					most.Store(now)
				}
				open.Add(-1)
				release()
			}
		})
	}
	working.Wait()
	if most.Load() > 8 {
		t.Errorf("%d streams were open", most.Load())
	}
}
