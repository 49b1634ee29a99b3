package batch

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/write"
)

func TestA09_ABatchReportsEachEntryOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, nil)
		g.adder.outcomes[number(3)] = refusal(402)
		g.adder.outcomes[number(5)] = &apierror.Error{Reason: apierror.AddOutcomeUnknown, Dialled: apierror.DialledUnknown}
		stream := g.open(request("", 100))
		defer stream.Close()
		first, err := stream.Next(t.Context())
		if err != nil || first.Accepted == nil || *first.Accepted != (Accepted{Count: 100, Expected: 10 * time.Second}) {
			t.Fatalf("first event %v, %v", first, err)
		}
		got := g.read(stream)
		g.checkEnd(got, Summary{Added: 98, Failed: 1, Unknown: 1})
		g.checkSent(100)
		if got.results[3] != "UPSTREAM_PAYMENT_REQUIRED" || got.results[5] != "ADD_OUTCOME_UNKNOWN" || got.results[7] != "p7" {
			t.Errorf("results %v", got.results)
		}
		if g.adder.most != 1 {
			t.Errorf("%d entries waited for a turn together", g.adder.most)
		}
		if len(got.progress) < 2 || got.progress[1].Total != 100 || got.progress[1].Done == 0 || got.progress[1].Remaining == 0 {
			t.Errorf("progress %v", got.progress)
		}
	})
}

func TestA09_ProgressComesWithoutResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, nil)
		g.adder.elsewhere[number(0)] = time.Now().Add(time.Minute)
		stream := g.open(request("a", 1))
		defer stream.Close()
		last := time.Now()
		for {
			event, err := stream.Next(t.Context())
			if since := time.Since(last); since >= 5*time.Second {
				t.Errorf("nothing for %v", since)
			}
			last = time.Now()
			if err != nil || event.Summary != nil {
				break
			}
		}
	})
}

func TestA09_EntriesAreSentInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, nil)
		r := request("", 4)
		r.Order = []int{2, 0, 3, 1}
		stream := g.open(r)
		defer stream.Close()
		g.checkEnd(g.read(stream), Summary{Added: 4})
		if want := []string{number(2), number(0), number(3), number(1)}; !slices.Equal(g.sent(), want) {
			t.Errorf("sent %v", g.sent())
		}
	})
}

func TestA09_LosingTheLastStreamStopsWhatWasNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, nil)
		one, two := g.open(request("a", 50)), g.open(request("a", 50))
		time.Sleep(10*turn + turn/2)
		one.Close()
		time.Sleep(10 * turn)
		if n := len(g.sent()); n != 20 {
			t.Errorf("%d entries were sent with one stream left", n)
		}
		two.Close()
		time.Sleep(time.Minute)
		if n := len(g.sent()); n != 20 {
			t.Errorf("%d entries were sent without a stream", n)
		}
		again := request("a", 50)
		again.Resume = true
		stream := g.open(again)
		defer stream.Close()
		g.checkEnd(g.read(stream), Summary{Added: 50})
		g.checkSent(50)
	})
}

func TestA09_ResumeAtOnceLosesAndRepeatsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, nil)
		r := request("a", 40)
		stream := g.open(r)
		r.Resume = true
		for range 30 {
			time.Sleep(turn + turn/3)
			stream.Close()
			stream = g.open(r)
		}
		defer stream.Close()
		g.checkEnd(g.read(stream), Summary{Added: 40})
		g.checkSent(40)
	})
}

func TestA09_TwoStreamsOfOneBatchSendItOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, nil)
		one := g.open(request("a", 30))
		time.Sleep(5 * turn)
		two := g.open(request("a", 30))
		ended := make(chan seen)
		go func() { ended <- g.read(one) }()
		g.checkEnd(g.read(two), Summary{Added: 30})
		g.checkEnd(<-ended, Summary{Added: 30})
		g.checkSent(30)
		one.Close()
		two.Close()
	})
}

// What a stream lost is not decided by what a later stream sends again.
func TestA09_ResumeSendsAgainWhatWasNotSent(t *testing.T) {
	tests := map[string]struct {
		err     error
		isAgain bool
	}{
		"refused":          {refusal(402), false},
		"not found":        {refusal(404), false},
		"unknown":          {&apierror.Error{Reason: apierror.AddOutcomeUnknown, Dialled: apierror.DialledUnknown}, false},
		"unreachable":      {&apierror.Error{Reason: apierror.UpstreamUnreachable, Dialled: apierror.DialledNo, NotSent: true}, true},
		"breaker open":     {unsent(apierror.BreakerOpen), true},
		"rate limited":     {&apierror.Error{Reason: apierror.UpstreamRateLimited, UpstreamStatus: 429, FromUpstream: true, Dialled: apierror.DialledNo}, true},
		"too many waiting": {unsent(apierror.AddRateLimited), true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, nil)
				g.adder.outcomes[number(1)] = tt.err
				first := g.open(request("a", 3))
				got := g.read(first)
				first.Close()
				if got.results[1] != string(apierror.ReasonOf(tt.err)) || got.summary.Added != 2 {
					t.Errorf("first: %v, %v", got.results, got.summary)
				}
				again := request("a", 3)
				again.Resume = true
				second := g.open(again)
				defer second.Close()
				got = g.read(second)
				want := string(apierror.ReasonOf(tt.err))
				sent := 3
				if tt.isAgain {
					want, sent = "p1", 4
				}
				if got.results[1] != want || len(g.sent()) != sent || len(got.order) != 3 {
					t.Errorf("resumed: %v, sent %v", got.results, g.sent())
				}
			})
		})
	}
}

func TestA09_BatchThatIsNotHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, nil)
		r := request("a", 3)
		r.Resume = true
		_, err := g.Open(t.Context(), r)
		if e := apierror.From(err); e.Reason != apierror.BatchUnknown || e.Dialled != apierror.DialledUnknown || len(g.sent()) > 0 {
			t.Errorf("%v, dialled %s, sent %v", err, e.Dialled, g.sent())
		}
		r.Resume = false
		stream := g.open(r)
		g.read(stream)
		stream.Close()
		time.Sleep(holdFor - time.Second)
		r.Resume = true
		stream = g.open(r)
		g.read(stream)
		stream.Close()
		time.Sleep(holdFor + time.Second)
		_, err = g.Open(t.Context(), r)
		g.mu.Lock()
		defer g.mu.Unlock()
		if apierror.ReasonOf(err) != apierror.BatchUnknown || len(g.held) > 0 || len(g.idle) > 0 {
			t.Errorf("after its time: %v", err)
		}
	})
}

func TestA09_OtherEntriesUnderARequestID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, nil)
		stream := g.open(request("a", 3))
		defer stream.Close()
		other := request("a", 3)
		other.Adds[2].Name = "Ann"
		for name, r := range map[string]Request{"fewer": request("a", 2), "more": request("a", 4), "another name": other} {
			_, err := g.Open(t.Context(), r)
			if e := apierror.From(err); e.Reason != apierror.RequestIDReused || e.Dialled != apierror.DialledNo {
				t.Errorf("%s: %v", name, err)
			}
		}
		foreign := request("a", 2)
		foreign.Call.Caller = "d"
		own := g.open(foreign)
		own.Close()
		g.read(stream)
	})
}

// A drain stops what was not sent, and reports the rest.
func TestA09_DrainStopsTheSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, nil)
		stream := g.open(request("a", 50))
		time.Sleep(10*turn + turn/2)
		g.drain()
		got := g.read(stream)
		stream.Close()
		if len(got.order) != 10 || len(g.sent()) != 10 || apierror.ReasonOf(got.last) != apierror.Draining {
			t.Errorf("%d results, %d sent, then %v", len(got.order), len(g.sent()), got.last)
		}
		_, err := g.Open(t.Context(), request("b", 1))
		if e := apierror.From(err); e.Reason != apierror.Draining {
			t.Errorf("a new batch: %v", err)
		}
	})
}

func TestA09_EndOfTheCallEndsTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, nil)
		stream := g.open(request("", 50))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var err error
		for err == nil {
			_, err = stream.Next(ctx)
		}
		stream.Close()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if n := len(g.sent()); n > 10 {
			t.Errorf("%d were sent", n)
		}
	})
}

func TestA09_IdleBatchesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, nil)
		for i := range 80 {
			g.mu.Lock()
			b := newBatch(number(i), make([]participant.Add, 1000))
			g.held[b.scope] = b
			g.expireIfIdle(b)
			g.mu.Unlock()
		}
		g.mu.Lock()
		if n := entriesOf(g.idle); n > maxHeld || len(g.held) != len(g.idle) || g.held[number(79)] == nil {
			t.Errorf("%d entries of %d batches are held", n, len(g.held))
		}
		g.mu.Unlock()
		time.Sleep(holdFor + time.Second)
	})
}

func TestA09_OutcomesAreObserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, nil)
		r := request("", 5)
		done := make(chan int, 5)
		r.Done = func(index int, _ write.Added, _ error, _ string) { done <- index }
		stream := g.open(r)
		time.Sleep(2*turn + turn/2)
		stream.Close()
		time.Sleep(time.Minute)
		if len(done) != 2 || <-done != 0 || <-done != 1 {
			t.Errorf("%d entries were observed after the stream was lost, want 2", len(done))
		}
	})
}
