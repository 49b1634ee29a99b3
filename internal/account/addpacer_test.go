package account

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

// depart waits for a turn and has the request written at once.
func depart(ctx context.Context, p *addPacer, conference string, again bool) error {
	d, err := p.wait(ctx, conference, again)
	if err == nil {
		p.left(d)
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
				if err := depart(t.Context(), &p, fmt.Sprint(n%3), false); err != nil {
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
				err := depart(t.Context(), &p, name[:1], false)
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
		// They leave one after the other, so that the order can be told.
		p.mu.Lock()
		for i, d := range p.departures {
			d.written = d.written.Add(time.Duration(i) * time.Millisecond)
		}
		p.dispatch()
		p.mu.Unlock()
		running.Wait()
		if got := strings.Join(l.names[10:], " "); got != "a0 b0 c0 a1 b1 a2 a3" {
			t.Errorf("left in the order %s", got)
		}
	})
}

func TestA03_FailsAtOnceWhereItsTurnComesTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p addPacer
		for range addsPerWindow {
			if err := depart(t.Context(), &p, "a", false); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), addWindow/2)
		defer cancel()
		err := depart(ctx, &p, "a", false)
		e := told(t, err)
		if e.Reason != participant.AddRateLimited || e.RetryAfter != addWindow || time.Since(began) != 0 {
			t.Errorf("after %v: %v, retry after %v", time.Since(began), err, e.RetryAfter)
		}
		ctx, cancel = context.WithTimeout(t.Context(), addWindow+1)
		defer cancel()
		if err := depart(ctx, &p, "a", false); err != nil || time.Since(began) != addWindow {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestA03_WhoLeavesTakesNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p addPacer
		for range addsPerWindow {
			if err := depart(t.Context(), &p, "a", false); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		leaving, leave := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for range addsPerWindow {
			running.Go(func() {
				if _, err := p.wait(leaving, "a", false); told(t, err).Reason != participant.Cancelled {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		for range addsPerWindow {
			running.Go(func() {
				if err := depart(t.Context(), &p, "a", false); err != nil || time.Since(began) != addWindow {
					t.Errorf("after %v: %v", time.Since(began), err)
				}
			})
		}
		synctest.Wait()
		leave()
		running.Wait()
		if _, err := p.wait(leaving, "a", false); told(t, err).Reason != participant.Cancelled {
			t.Error(err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.queue.rooms) != 0 || p.timer != nil {
			t.Errorf("%d rooms left", len(p.queue.rooms))
		}
	})
}

func TestA03_AnotherTurnComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p addPacer
		var l log
		var running sync.WaitGroup
		enter := func(name string, again bool) {
			running.Go(func() {
				if err := depart(t.Context(), &p, "a", again); err != nil {
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

func TestA03_TurnsGivenBackAreFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p addPacer
		for range 3 * addsPerWindow {
			d, err := p.wait(t.Context(), "a", false)
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
		end   func(*addPacer, *departure)
		// turn is when the next turn comes, once that has happened to ten.
		turn time.Duration
	}{
		"written":               {300 * time.Millisecond, (*addPacer).left, 300*time.Millisecond + addWindow},
		"written late":          {3 * time.Second, (*addPacer).left, 3*time.Second + addWindow},
		"over, written or not":  {3 * time.Second, (*addPacer).done, 3*time.Second + addWindow},
		"taken back":            {3 * time.Second, (*addPacer).cancel, 3 * time.Second},
		"written, and not back": {3 * time.Second, func(p *addPacer, d *departure) { p.left(d); p.cancel(d) }, 3*time.Second + addWindow},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p addPacer
				for range addsPerWindow {
					d, err := p.wait(t.Context(), "a", false)
					if err != nil {
						t.Fatal(err)
					}
					time.AfterFunc(test.after, func() { test.end(&p, d) })
				}
				began := time.Now()
				if err := depart(t.Context(), &p, "a", false); err != nil || time.Since(began) != test.turn {
					t.Errorf("after %v: %v", time.Since(began), err)
				}
			})
		})
	}
}

// TestA03_WrittenTwiceCountsTwice has a connection refuse what was written to it long ago.
func TestA03_WrittenTwiceCountsTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p addPacer
		first, err := p.wait(t.Context(), "a", false)
		if err != nil {
			t.Fatal(err)
		}
		p.left(first)
		time.Sleep(5 * time.Second)
		for range addsPerWindow - 1 {
			if err := depart(t.Context(), &p, "a", false); err != nil {
				t.Fatal(err)
			}
		}
		p.left(first)
		began := time.Now()
		if err := depart(t.Context(), &p, "a", false); err != nil || time.Since(began) != addWindow {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// TestA03_UnwrittenAddsHoldUpWhoCannotWait has ten adds that wait for a connection: who
// would come too late behind them hears so at once.
func TestA03_UnwrittenAddsHoldUpWhoCannotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p addPacer
		var departures []*departure
		for range addsPerWindow {
			d, err := p.wait(t.Context(), "a", false)
			if err != nil {
				t.Fatal(err)
			}
			departures = append(departures, d)
		}
		began := time.Now()
		time.AfterFunc(time.Second, func() { p.left(departures[0]) })
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := depart(ctx, &p, "a", false); told(t, err).Reason != participant.AddRateLimited || time.Since(began) != time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// patient is a context whose deadline moves.
type patient struct {
	context.Context

	mu sync.Mutex
	at time.Time
}

func (p *patient) Deadline() (time.Time, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at, true
}

func TestA03_DeadlinesMayMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p addPacer
		for range addsPerWindow {
			if err := depart(t.Context(), &p, "a", false); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		ctx := &patient{Context: t.Context(), at: began.Add(time.Hour)}
		time.AfterFunc(100*time.Millisecond, func() {
			ctx.mu.Lock()
			ctx.at = began.Add(200 * time.Millisecond)
			ctx.mu.Unlock()
			_ = depart(t.Context(), &p, "b", false)
		})
		if err := depart(ctx, &p, "a", false); told(t, err).Reason != participant.AddRateLimited || time.Since(began) != 100*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		time.Sleep(2 * time.Second)
	})
}

// TestA03_WhateverComes draws adds that come, wait, leave, have deadlines, and find a
// connection soon or late.
func TestA03_WhateverComes(t *testing.T) {
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
				if d, err := p.wait(ctx, room, false); err == nil {
					time.Sleep(connects)
					p.left(d)
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
		case len(p.queue.rooms) > 0:
			problem = "somebody still waits"
		}
	})
	return problem
}
