package upstream

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestW15_IntervalIncludesHowLongListsTake compares the intervals of feeds.
func TestW15_IntervalIncludesHowLongListsTake(t *testing.T) {
	for name, test := range map[string]struct {
		feeds           int
		want, takes     time.Duration
		share, interval time.Duration
	}{
		"fast":                              {1, time.Second, 50 * time.Millisecond, time.Second, time.Second},
		"slow":                              {1, time.Second, 3 * time.Second, time.Second, 3 * time.Second},
		"slow, quiet":                       {1, 5 * time.Second, 3 * time.Second, 5 * time.Second, 5 * time.Second},
		"many":                              {20, time.Second, 50 * time.Millisecond, 2 * time.Second, 2 * time.Second},
		"many that take long":               {20, time.Second, 1500 * time.Millisecond, 2 * time.Second, 2 * time.Second},
		"too slow for the budget to matter": {20, time.Second, 4 * time.Second, time.Second, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			a := account(t, &upstream{})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var sources []*Source
			for i := range test.feeds {
				sources = append(sources, a.OpenSource(ctx, fmt.Sprint(i)))
			}
			for range 2 {
				for _, s := range sources {
					s.Pace(test.want, test.takes)
				}
			}
			pace := sources[0].Pace(test.want, test.takes)
			if !near(pace.Share, test.share) || !near(pace.Interval, test.interval) {
				t.Errorf("share %v, interval %v, want %v, %v", pace.Share, pace.Interval, test.share, test.interval)
			}
		})
	}
}

func near(a, b time.Duration) bool { return (a - b).Abs() < time.Microsecond }

func TestW15_IntervalIncludesTheWaitForGrants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := account(t, &upstream{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := a.OpenSource(ctx, "c")
		for range 30 {
			if err := s.Wait(ctx, false); err != nil {
				t.Fatal(err)
			}
			a.budget.last = time.Now().Add(450 * time.Millisecond) // Others were granted meanwhile.
		}
		if got := s.Pace(time.Second, 0); !near(got.Share, time.Second) || !near(got.Interval, 1500*time.Millisecond) {
			t.Errorf("share %v, interval %v, want 1s, 1.5s", got.Share, got.Interval)
		}
		a.budget.rate.pause(time.Now(), time.Minute)
		for range 10 {
			_ = s.Wait(ctx, false)
			time.Sleep(time.Second)
		}
		if got := s.Pace(time.Second, 0).Interval; got > 1100*time.Millisecond {
			t.Errorf("interval %v after a pause, which is not to count", got)
		}
	})
}

// TestW15_UrgentPollsGetEverySecondGrant runs healthy feeds together with all that goes ahead of
// them: conferences that answer 503, clients that come again after each NOT_FOUND, and lost
// adds that are looked for.
func TestW15_UrgentPollsGetEverySecondGrant(t *testing.T) {
	for name, urgent := range map[string]urgency{
		"conferences that answer 503":  {broken: 50},
		"clients that retry NOT_FOUND": {retried: 2},
		"lost adds":                    {lost: 20},
		"all of these":                 {broken: 50, retried: 2, lost: 20},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &players{polled: map[string]int{}}
				p.account = account(t, &upstream{answer: p.answer})
				p.play(t, urgent)
				time.Sleep(time.Second) // Reads under way end.
			})
		})
	}
}

// urgency is what goes ahead of the healthy feeds, and how often.
type urgency struct{ broken, retried, lost int }

// players poll as feeds do, and as reconciled adds do.
type players struct {
	account *Account

	mu sync.Mutex
	// polled is how many lists of each kind of conference the upstream was asked for.
	polled map[string]int
	// late are the healthy feeds' waits that were longer than staleness allows.
	late []time.Duration
}

func (p *players) answer(r *http.Request) (response, error) {
	kind, _, _ := strings.Cut(strings.Split(r.URL.Path, "/")[3], "-")
	p.mu.Lock()
	p.polled[kind]++
	p.mu.Unlock()
	time.Sleep(50 * time.Millisecond)
	switch kind {
	case "broken":
		return reply(503, ``), nil
	case "retried":
		return reply(404, `{"code":404,"message":"no such conference"}`), nil
	default:
		return well(r)
	}
}

func (p *players) play(t *testing.T, urgent urgency) {
	t.Helper()
	const lasts = 3 * time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	var running sync.WaitGroup
	start := func(kind string, n int, run func(ctx context.Context, conference string)) {
		for i := range n {
			running.Go(func() { run(ctx, fmt.Sprintf("%s-%d", kind, i)) })
		}
	}
	start("healthy", 20, p.feed)
	time.Sleep(30 * time.Second)
	start("broken", urgent.broken, p.feed)
	start("retried", urgent.retried, p.retry)
	start("lost", urgent.lost, p.reconcile)
	running.Wait()
	p.mu.Lock() // Reads for adds may still run.
	defer p.mu.Unlock()
	all := 0
	for _, n := range p.polled {
		all += n
	}
	// Broken conferences are sources like others, so that they take their turns too.
	least := float64(all) / 2 * 20 / float64(20+urgent.broken)
	if got := p.polled["healthy"]; float64(got) < least || all < int(lasts.Seconds()*9) {
		t.Errorf("%d of %d lists were of healthy feeds, want %v at least: %v", got, all, least, p.polled)
	}
	if len(p.late) > 0 {
		t.Errorf("healthy feeds would have been stale %d times: %v", len(p.late), p.late)
	}
}

// feed polls as package feed does.
func (p *players) feed(ctx context.Context, conference string) {
	s := p.account.OpenSource(ctx, conference)
	var last time.Time
	for first := true; s.Wait(ctx, first) == nil; first = false {
		began := time.Now()
		err := poll(ctx, s)
		pace := s.Pace(time.Second, 50*time.Millisecond)
		due := began.Add(pace.Share)
		if err != nil {
			due = latest(due, time.Now().Add(4500*time.Millisecond))
		} else if ctx.Err() == nil {
			p.judge(time.Since(last), pace.Interval, first)
			last = began
		}
		wait(ctx, time.Until(due))
	}
}

func (p *players) judge(since, interval time.Duration, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !first && since > max(5*time.Second, 2*interval) {
		p.late = append(p.late, since)
	}
}

// retry opens a feed again whenever it has ended NOT_FOUND.
func (p *players) retry(ctx context.Context, conference string) {
	for ctx.Err() == nil {
		ctx, stop := context.WithCancel(ctx)
		s := p.account.OpenSource(ctx, conference)
		if s.Wait(ctx, true) == nil {
			_ = poll(ctx, s)
		}
		stop()
	}
}

// reconcile looks for one lost add after the other.
func (p *players) reconcile(ctx context.Context, conference string) {
	for ctx.Err() == nil {
		next := time.Now().Add(time.Second)
		_, _ = p.account.ListToReconcile(ctx, conference)
		wait(ctx, time.Until(next))
	}
}
