package batch

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/write"
)

// sharedState is what replicas share.
type sharedState struct {
	mu sync.Mutex
	// err is the answer of KeepBatch. kept are the times of its calls.
	err  error
	kept []time.Time
	last SharedBatch
	// back is closed when the state can be used; nil if it can.
	back chan struct{}
}

func (s *sharedState) KeepBatch(_ context.Context, batch SharedBatch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept, s.last = append(s.kept, time.Now()), batch
	return s.err
}

func (s *sharedState) WaitAvailable(ctx context.Context) error {
	s.mu.Lock()
	back := s.back
	s.mu.Unlock()
	if back == nil {
		return nil
	}
	select {
	case <-back:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestR06_BatchesAreKeptInTheSharedState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &sharedState{}
		g := newGateway(t, shared)
		began := time.Now()
		r := request("a", 1000)
		r.Resume = true
		stream := g.open(r)
		g.checkEnd(g.read(stream), Summary{Added: 1000})
		took := time.Since(began)
		stream.Close()
		synctest.Wait()
		shared.mu.Lock()
		defer shared.mu.Unlock()
		if last := shared.kept[len(shared.kept)-1]; last.Sub(began) < took {
			t.Errorf("the batch ended after %v, and was kept last after %v", took, last.Sub(began))
		}
		for i, at := range shared.kept[1:] {
			if since := at.Sub(shared.kept[i]); since > keepInterval {
				t.Errorf("the batch was not kept for %v", since)
			}
		}
		call := r.Call
		call.Entry = &write.Entry{Number: 1000}
		if shared.last.Scope != r.Call.Scope() || len(shared.last.Entries) != 1000 || shared.last.Entries[999] != call.Scope() || shared.last.MustExist {
			t.Errorf("kept %v", shared.last.Scope)
		}
	})
}

func TestR06_TheSharedStateRefusesBatches(t *testing.T) {
	away := errors.New("away")
	for err, want := range map[error]apierror.Error{
		ErrUnknown:               {Reason: apierror.BatchUnknown, Dialled: apierror.DialledUnknown},
		write.ErrRequestIDReused: {Reason: apierror.RequestIDReused, Dialled: apierror.DialledNo},
		away:                     {Reason: apierror.SharedStateUnavailable, Dialled: apierror.DialledNo, RetryAfter: retryAfter},
	} {
		g := newGateway(t, &sharedState{err: err})
		_, got := g.Open(t.Context(), request("a", 1))
		if e := apierror.From(got); e.Reason != want.Reason || e.Dialled != want.Dialled || e.RetryAfter != want.RetryAfter || len(g.held) > 0 {
			t.Errorf("%v: got %v", err, got)
		}
	}
}

func TestR08_BatchesPauseWithoutTheSharedState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &sharedState{back: make(chan struct{})}
		g := newGateway(t, shared)
		// Its claim fails just as the state goes away.
		g.adder.outcomes[number(0)] = &apierror.Error{
			Reason: apierror.SharedStateUnavailable, Dialled: apierror.DialledUnknown, RetryAfter: time.Second,
		}
		stream := g.open(request("", 20))
		defer stream.Close()
		time.Sleep(time.Minute)
		if n := len(g.sent()); n > 0 {
			t.Errorf("%d entries were sent", n)
		}
		close(shared.back)
		g.checkEnd(g.read(stream), Summary{Added: 20})
	})
}
