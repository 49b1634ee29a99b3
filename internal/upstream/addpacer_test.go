package upstream

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// log is the order in which adds left, and when.
type log struct {
	mu    sync.Mutex
	names []string
	times []time.Time
}

func (l *log) note(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.names = append(l.names, name)
	l.times = append(l.times, time.Now())
}

// Add reserves a slot, waits for its grant, calls sending, and sends.
func (a *Account) Add(ctx context.Context, conference string, add participant.Add, sending func()) (participant.Item, error) {
	s, err := a.Reserve(ctx, conference, "")
	if err != nil {
		return participant.Item{}, err
	}
	defer s.Release()
	if deadline, bounded := ctx.Deadline(); bounded {
		s.SetDeadline(deadline)
	}
	if err := s.Wait(ctx); err != nil {
		return participant.Item{}, err
	}
	sending()
	return s.Send(ctx, add)
}

// waitForGrant waits for the grant of an add whose deadline is that of ctx.
func waitForGrant(ctx context.Context, p *addPacer, conference string, again bool) (*grant, error) {
	add, err := p.enqueue(queueName{conference: conference}, again)
	if err != nil {
		return nil, err
	}
	if deadline, bounded := ctx.Deadline(); bounded {
		p.setDeadline(add, deadline)
	}
	return p.wait(ctx, add)
}

// sendOne waits for a grant and marks its request as written at once.
func sendOne(ctx context.Context, p *addPacer, conference string, again bool) error {
	d, err := waitForGrant(ctx, p, conference, again)
	if err == nil {
		p.markWritten(d)
	}
	return err
}

func TestA03_TenASecondAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p addPacer
		var l log
		var running sync.WaitGroup
		began := time.Now()
		for n := range 35 {
			running.Go(func() {
				if err := sendOne(t.Context(), &p, fmt.Sprint(n%3), false); err != nil {
					t.Error(err)
				}
				l.note("")
			})
		}
		running.Wait()
		if got := most(l.times); got != addsPerWindow {
			t.Errorf("%d within a second", got)
		}
		if took := time.Since(began); took != 3*addWindow {
			t.Errorf("35 adds took %v", took)
		}
	})
}

func TestA03_FairBetweenConferences(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p addPacer
		var l log
		var running sync.WaitGroup
		enter := func(name string) {
			running.Go(func() {
				err := sendOne(t.Context(), &p, name[:1], false)
				if err != nil {
					t.Error(err)
				}
				l.note(name)
			})
			synctest.Wait()
		}
		for n := range 10 {
			enter(fmt.Sprintf("x%d", n))
		}
		for n := range 4 {
			enter(fmt.Sprintf("a%d", n))
		}
		for n := range 2 {
			enter(fmt.Sprintf("b%d", n))
		}
		enter("c0")
		// They are written one after the other, which shows the order.
		p.mu.Lock()
		for i, d := range p.grants {
			d.written = d.written.Add(time.Duration(i) * time.Millisecond)
		}
		p.grantDue(time.Now())
		p.mu.Unlock()
		running.Wait()
		if got := strings.Join(l.names[10:], " "); got != "a0 b0 c0 a1 b1 a2 a3" {
			t.Errorf("left in the order %s", got)
		}
	})
}

func TestA03_FailsAtOnceIfTheGrantWouldBeTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p addPacer
		for range addsPerWindow {
			if err := sendOne(t.Context(), &p, "a", false); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), addWindow/2)
		defer cancel()
		err := sendOne(ctx, &p, "a", false)
		e := apiError(t, err)
		if e.Reason != apierror.AddRateLimited || e.RetryAfter != addWindow || time.Since(began) != 0 {
			t.Errorf("after %v: %v, retry after %v", time.Since(began), err, e.RetryAfter)
		}
		ctx, cancel = context.WithTimeout(t.Context(), addWindow+1)
		defer cancel()
		if err := sendOne(ctx, &p, "a", false); err != nil || time.Since(began) != addWindow {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestA03_AWithdrawnAddTakesNoGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p addPacer
		for range addsPerWindow {
			if err := sendOne(t.Context(), &p, "a", false); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		leaving, leave := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for range addsPerWindow {
			running.Go(func() {
				if _, err := waitForGrant(leaving, &p, "a", false); apiError(t, err).Reason != apierror.Cancelled {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		for range addsPerWindow {
			running.Go(func() {
				if err := sendOne(t.Context(), &p, "a", false); err != nil || time.Since(began) != addWindow {
					t.Errorf("after %v: %v", time.Since(began), err)
				}
			})
		}
		synctest.Wait()
		leave()
		running.Wait()
		if _, err := waitForGrant(leaving, &p, "a", false); apiError(t, err).Reason != apierror.Cancelled {
			t.Error(err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.queue.len() != 0 || len(p.queue.conferences) != 0 || p.timer != nil {
			t.Errorf("%d adds wait in %d conferences", p.queue.len(), len(p.queue.conferences))
		}
	})
}

func TestA03_AnAddThatIsSentAgainGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p addPacer
		var l log
		var running sync.WaitGroup
		enter := func(name string, again bool) {
			running.Go(func() {
				if err := sendOne(t.Context(), &p, "a", again); err != nil {
					t.Error(err)
				}
				l.note(name)
			})
			synctest.Wait()
		}
		for range 2 * addsPerWindow {
			enter("first", false)
		}
		enter("again", true)
		running.Wait()
		if at := slices.Index(l.names, "again"); at >= 2*addsPerWindow {
			t.Errorf("left as number %d", at)
		}
	})
}

func TestA03_ReturnedGrantsAreFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p addPacer
		for range 3 * addsPerWindow {
			d, err := waitForGrant(t.Context(), &p, "a", false)
			if err != nil {
				t.Fatal(err)
			}
			p.cancel(d)
		}
	})
}

func TestA03_CountsFromWhenTheRequestIsWritten(t *testing.T) {
	for name, test := range map[string]struct {
		after time.Duration
		end   func(*addPacer, *grant)
		// next is when the next add is granted, after that happened to ten.
		next time.Duration
	}{
		"written":               {300 * time.Millisecond, (*addPacer).markWritten, 300*time.Millisecond + addWindow},
		"written late":          {3 * time.Second, (*addPacer).markWritten, 3*time.Second + addWindow},
		"over, written or not":  {3 * time.Second, (*addPacer).done, 3*time.Second + addWindow},
		"taken back":            {3 * time.Second, (*addPacer).cancel, 3 * time.Second},
		"written, and not back": {3 * time.Second, func(p *addPacer, g *grant) { p.markWritten(g); p.cancel(g) }, 3*time.Second + addWindow},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p addPacer
				for range addsPerWindow {
					d, err := waitForGrant(t.Context(), &p, "a", false)
					if err != nil {
						t.Fatal(err)
					}
					time.AfterFunc(test.after, func() { test.end(&p, d) })
				}
				began := time.Now()
				if err := sendOne(t.Context(), &p, "a", false); err != nil || time.Since(began) != test.next {
					t.Errorf("after %v: %v", time.Since(began), err)
				}
			})
		})
	}
}

// TestA03_WrittenTwiceCountsTwice makes a connection refuse what was written to it long
// before.
func TestA03_WrittenTwiceCountsTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p addPacer
		first, err := waitForGrant(t.Context(), &p, "a", false)
		if err != nil {
			t.Fatal(err)
		}
		p.markWritten(first)
		time.Sleep(5 * time.Second)
		for range addsPerWindow - 1 {
			if err := sendOne(t.Context(), &p, "a", false); err != nil {
				t.Fatal(err)
			}
		}
		p.markWritten(first)
		began := time.Now()
		if err := sendOne(t.Context(), &p, "a", false); err != nil || time.Since(began) != addWindow {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// TestA03_UnwrittenAddsDelayOthers makes ten adds wait for a connection: an add that
// would be too late behind them fails at once.
func TestA03_UnwrittenAddsDelayOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p addPacer
		var grants []*grant
		for range addsPerWindow {
			d, err := waitForGrant(t.Context(), &p, "a", false)
			if err != nil {
				t.Fatal(err)
			}
			grants = append(grants, d)
		}
		began := time.Now()
		time.AfterFunc(time.Second, func() { p.markWritten(grants[0]) })
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := sendOne(ctx, &p, "a", false); apiError(t, err).Reason != apierror.AddRateLimited || time.Since(began) != time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestA03_DeadlinesMayMove(t *testing.T) {
	for name, test := range map[string]struct {
		first, then time.Duration
		refused     time.Duration
	}{
		"nearer":              {time.Hour, 200 * time.Millisecond, 100 * time.Millisecond},
		"set after none":      {0, 200 * time.Millisecond, 100 * time.Millisecond},
		"farther":             {addWindow + 1, time.Hour, 0},
		"away":                {addWindow + 1, 0, 0},
		"into the past":       {time.Hour, 50 * time.Millisecond, 100 * time.Millisecond},
		"never could be kept": {100 * time.Millisecond, time.Hour, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := full(t)
				began := time.Now()
				after := func(d time.Duration) time.Time {
					if d == 0 {
						return time.Time{}
					}
					return began.Add(d)
				}
				add, err := p.enqueue(queueName{conference: "a"}, false)
				if err != nil {
					t.Fatal(err)
				}
				p.setDeadline(add, after(test.first))
				time.AfterFunc(100*time.Millisecond, func() { p.setDeadline(add, after(test.then)) })
				d, err := p.wait(t.Context(), add)
				took := time.Since(began)
				switch {
				case test.refused == 0 && (err != nil || took != addWindow):
					t.Errorf("after %v: %v", took, err)
				case test.refused > 0 && (err == nil || took != test.refused.Truncate(100*time.Millisecond)):
					t.Errorf("after %v: %v", took, err)
				case err == nil:
					p.done(d)
				}
				time.Sleep(2 * time.Second)
			})
		})
	}
}

// full is a pacer whose ten grants of this window have left now.
func full(tb testing.TB) *addPacer {
	tb.Helper()
	p := &addPacer{}
	for range addsPerWindow {
		if err := sendOne(tb.Context(), p, "other", false); err != nil {
			tb.Fatal(err)
		}
	}
	return p
}

// An add that is granted later than estimated is rejected at its deadline at the latest.
func TestA03_ADeadlineEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p addPacer
		for range addsPerWindow { // Their requests are never written.
			if _, err := waitForGrant(t.Context(), &p, "other", false); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		add, err := p.enqueue(queueName{conference: "a"}, false)
		if err != nil {
			t.Fatal(err)
		}
		p.setDeadline(add, began.Add(2*time.Second))
		if _, err := p.wait(t.Context(), add); apiError(t, err).Reason != apierror.AddRateLimited || time.Since(began) > 2*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// Adds that come later in many other conferences put off an add that has to be gone soon:
// it is refused when that is known, not when its deadline ends.
func TestA03_ADelayedAddIsRejectedBeforeItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := full(t)
		began := time.Now()
		var adds []*queuedAdd
		for range 20 {
			add, err := p.enqueue(queueName{conference: "a"}, false)
			if err != nil {
				t.Fatal(err)
			}
			p.setDeadline(add, began.Add(3*time.Second))
			adds = append(adds, add)
		}
		for n := range 100 {
			if _, err := p.enqueue(queueName{conference: fmt.Sprint(n)}, false); err != nil {
				t.Fatal(err)
			}
		}
		_, err := p.wait(t.Context(), adds[19])
		if apiError(t, err).Reason != apierror.AddRateLimited || time.Since(began) != 0 {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		if d, err := p.wait(t.Context(), adds[0]); err != nil {
			t.Errorf("the first of the conference: %v", err)
		} else {
			p.done(d)
		}
	})
}

// TestA03_AThousandAddsWaitAtMost checks that one more add, of any conference, is
// rejected at once.
func TestA03_AThousandAddsWaitAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := full(t)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for n := range maxWaitingAdds {
			running.Go(func() {
				if _, err := waitForGrant(ctx, p, fmt.Sprint(n%7), false); apiError(t, err).Reason != apierror.Cancelled {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		began := time.Now()
		for _, conference := range []string{"0", "new"} {
			_, err := waitForGrant(t.Context(), p, conference, false)
			e := apiError(t, err)
			if e.Reason != apierror.AddRateLimited || e.Dialled != apierror.DialledNo || time.Since(began) != 0 {
				t.Errorf("after %v: %v", time.Since(began), err)
			}
			if e.RetryAfter != (maxWaitingAdds/addsPerWindow+1)*addWindow {
				t.Errorf("retry after %v", e.RetryAfter)
			}
		}
		if _, err := p.enqueue(queueName{conference: "0"}, true); err != nil {
			t.Errorf("an add that was granted before: %v", err)
		}
		cancel()
		running.Wait()
	})
}

// Who leaves makes room for those behind, in the same conference and in others.
func TestA03_AWithdrawnAddMovesTheOthersUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := full(t)
		enter := func(conference string) *queuedAdd {
			add, err := p.enqueue(queueName{conference: conference}, false)
			if err != nil {
				t.Fatal(err)
			}
			return add
		}
		var xs []*queuedAdd
		for range 10 {
			xs = append(xs, enter("x"))
		}
		y, last := enter("y"), enter("x")
		for _, x := range xs {
			p.withdraw(x)
			p.withdraw(x) // Once more has no effect.
		}
		next := enter("x")
		for i, add := range []*queuedAdd{last, y, next} {
			if n, waits := p.queue.position(add); n != i || !waits {
				t.Errorf("add %d is at position %d, waits: %v", i, n, waits)
			}
		}
		if _, waits := p.queue.position(xs[0]); waits {
			t.Error("who left still waits")
		}
	})
}

// A conference that always has a next add does not delay other conferences.
func TestA03_ReturningConferencesAlternate(t *testing.T) {
	var q addQueue
	enter := func(conference string) { q.push(queueName{conference: conference}, &queuedAdd{}, false) }
	for range 3 {
		enter("a")
	}
	enter("b")
	var order []string
	for range 9 {
		served := q.pop().queue.name.conference
		order = append(order, served)
		if served != "a" {
			enter(served)
		}
	}
	if got := strings.Join(order, " "); got != "a b a b a b b b b" {
		t.Errorf("served in the order %s", got)
	}
}

// Adds are granted when estimated, if nothing else happens.
func TestA03_GrantsComeWhenEstimated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p addPacer
		for range 7 {
			time.Sleep(110 * time.Millisecond)
			if err := sendOne(t.Context(), &p, "other", false); err != nil {
				t.Fatal(err)
			}
		}
		var running sync.WaitGroup
		for n := range 57 {
			p.mu.Lock()
			want := p.estimate(time.Now())(p.queue.len())
			p.mu.Unlock()
			running.Go(func() {
				if err := sendOne(t.Context(), &p, "a", false); err != nil || !time.Now().Equal(want) {
					t.Errorf("add %d left %v after its estimate: %v", n, time.Since(want), err)
				}
			})
			synctest.Wait()
		}
		running.Wait()
	})
}

// BenchmarkWaitingAdd is what one more waiting add costs: it comes, has a deadline, leaves.
func BenchmarkWaitingAdd(b *testing.B) {
	for _, conferences := range []int{1, 1000} {
		for _, waiting := range []int{10, maxWaitingAdds - 1} {
			b.Run(fmt.Sprintf("waiting=%d/conferences=%d", waiting, min(conferences, waiting)), func(b *testing.B) {
				p := full(b)
				for _, d := range p.grants {
					d.written = time.Now().Add(time.Hour)
				}
				for n := range waiting {
					if _, err := p.enqueue(queueName{conference: fmt.Sprint(n % conferences)}, false); err != nil {
						b.Fatal(err)
					}
				}
				deadline := time.Now().Add(24 * time.Hour)
				for b.Loop() {
					add, err := p.enqueue(queueName{conference: "0"}, false)
					if err != nil {
						b.Fatal(err)
					}
					p.setDeadline(add, deadline)
					p.withdraw(add)
				}
			})
		}
	}
}

// TestA03_RandomHistories draws adds that come, wait, leave, have deadlines, and find a
// connection soon or late.
func TestA03_RandomHistories(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		adds := rapid.IntRange(1, 80).Draw(rt, "adds")
		seed := rapid.Uint64().Draw(rt, "seed")
		if problem := paceSome(t, adds, seed); problem != "" {
			rt.Fatal(problem)
		}
	})
}

func paceSome(t *testing.T, adds int, seed uint64) (problem string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(seed, 0))
		var p addPacer
		var l log
		var running sync.WaitGroup
		for range adds {
			comes := time.Duration(random.IntN(3000)) * time.Millisecond
			waits := time.Duration(random.IntN(6000)+1) * time.Millisecond
			connects := time.Duration(random.IntN(3)*random.IntN(1500)) * time.Millisecond
			room, leaves := fmt.Sprint(random.IntN(4)), random.IntN(4) == 0
			running.Go(func() {
				time.Sleep(comes)
				ctx, cancel := context.WithCancel(t.Context())
				if !leaves {
					ctx, cancel = context.WithTimeout(t.Context(), waits)
				}
				defer cancel()
				time.AfterFunc(waits, cancel)
				if d, err := waitForGrant(ctx, &p, room, false); err == nil {
					time.Sleep(connects)
					p.markWritten(d)
					l.note(room)
				}
			})
		}
		running.Wait()
		slices.SortFunc(l.times, time.Time.Compare)
		p.mu.Lock()
		defer p.mu.Unlock()
		switch {
		case most(l.times) > addsPerWindow:
			problem = fmt.Sprintf("%d within a second", most(l.times))
		case p.queue.len() > 0 || len(p.queue.conferences) > 0:
			problem = "somebody still waits"
		}
	})
	return problem
}
