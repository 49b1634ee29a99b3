package histories_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/internal/wire"
)

// batchCaller is the request id of all batches.
const batchCaller = "batch"

// batchCall is a batch with all its streams.
type batchCall struct {
	request *v2.BatchAddParticipantsRequest
	// entries are its adds, in the order of the request.
	entries []*addCall
	// called is true once a stream was opened.
	called bool
}

// batchStream is one stream of a batch, without a connection.
type batchStream struct {
	grpc.ServerStream

	ctx  context.Context
	call *batchCall

	mu       sync.Mutex
	events   []string
	reported map[int32]bool
	summary  *v2.BatchSummary
	// last is when the last message came, longest the longest time between two.
	last    time.Time
	longest time.Duration
}

func (s *batchStream) Context() context.Context { return s.ctx }

func (s *batchStream) SetHeader(metadata.MD) error { return nil }

// SendMsg takes a message, unless the client has left.
func (s *batchStream) SendMsg(sent any) error {
	if s.ctx.Err() != nil {
		return s.ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.longest, s.last = max(s.longest, time.Since(s.last)), time.Now()
	response, _ := sent.(*wire.Message).ProtoReflect().Interface().(*v2.BatchAddParticipantsResponse)
	switch {
	case response.GetAccepted() != nil:
		s.events = append(s.events, "accepted")
	case response.GetResult() != nil:
		s.events = append(s.events, "result")
		return s.take(response.GetResult())
	case response.GetSummary() != nil:
		s.events, s.summary = append(s.events, "summary"), response.GetSummary()
	}
	return nil
}

func (s *batchStream) take(result *v2.BatchResult) error {
	if s.reported[result.GetIndex()] {
		return fmt.Errorf("A9: entry %d is reported twice", result.GetIndex())
	}
	s.reported[result.GetIndex()] = true
	outcome := addResult{id: result.GetParticipant().GetId()}
	if result.GetError() != nil {
		st := status.FromProto(result.GetError())
		outcome.err = &apierror.Error{Reason: grpcstatus.Reason(st), Dialled: grpcstatus.Dialled(st)}
	}
	entry := s.call.entries[result.GetIndex()]
	entry.answers = append(entry.answers, outcome)
	return nil
}

// check checks a stream that has ended by itself.
func (s *batchStream) check() error {
	n := len(s.call.entries)
	switch {
	case len(s.events) == 0 || s.events[0] != "accepted" || s.events[len(s.events)-1] != "summary" || len(s.reported) != n:
		return fmt.Errorf("A9: events %v of %d entries", s.events, n)
	case int(s.summary.GetAdded()+s.summary.GetFailed()+s.summary.GetUnknown()) != n:
		return fmt.Errorf("A9: the summary %v of %d entries", s.summary, n)
	case s.longest > 5*time.Second:
		return fmt.Errorf("A9: nothing came for %v", s.longest)
	default:
		return nil
	}
}

// batchAdd adds several participants. Some clients soon lose their connection.
func (w *harness) batchAdd(s step) {
	w.writes.mu.Lock()
	b := &batchCall{request: &v2.BatchAddParticipantsRequest{ConferenceId: conference}}
	for range 1 + 3*s.A {
		n := len(w.writes.adds)
		entry := &v2.BatchEntry{
			PhoneNumber: fmt.Sprintf("+1202555%04d", n), Name: fmt.Sprintf("Callee %d", n), Role: v2.ParticipantRole(n % 4),
		}
		a := &addCall{request: &v2.AddParticipantRequest{
			ConferenceId: conference, PhoneNumber: entry.GetPhoneNumber(), Name: entry.GetName(), Role: entry.GetRole(),
		}}
		w.writes.adds, b.entries = append(w.writes.adds, a), append(b.entries, a)
		b.request.Entries = append(b.request.Entries, entry)
	}
	b.request.RequestId = fmt.Sprintf("batch-%d", len(w.writes.adds))
	w.writes.batches = append(w.writes.batches, b)
	w.writes.mu.Unlock()
	w.callBatch(b, s.C)
}

// resumeBatch goes on with the last batch, perhaps while another stream of it is open.
func (w *harness) resumeBatch(s step) {
	w.writes.mu.Lock()
	defer w.writes.mu.Unlock()
	if n := len(w.writes.batches); n > 0 {
		w.callBatch(w.writes.batches[n-1], s.C)
	}
}

// callBatch opens a stream of a batch. A client with a small patience loses its connection.
func (w *harness) callBatch(b *batchCall, patience int) {
	request := &v2.BatchAddParticipantsRequest{
		ConferenceId: conference, Entries: b.request.GetEntries(), RequestId: b.request.GetRequestId(), Resume: b.called,
	}
	b.called = true
	w.writes.running.Go(func() {
		ctx, leave := context.WithCancel(caller(batchCaller))
		defer leave()
		if patience < 6 {
			timer := time.AfterFunc(time.Duration(patience)*700*time.Millisecond, leave)
			defer timer.Stop()
		}
		stream := &batchStream{ctx: ctx, call: b, reported: map[int32]bool{}, last: time.Now()}
		err := w.gateway.BatchAddParticipants(request, &grpc.GenericServerStream[
			v2.BatchAddParticipantsRequest, v2.BatchAddParticipantsResponse,
		]{ServerStream: stream})
		switch {
		case ctx.Err() != nil:
			w.seen.add(batchLost)
		case err != nil:
			w.fail("batch", err)
		default:
			w.seen.add(batchEnded)
			w.fail("batch", stream.check())
			if request.GetResume() {
				w.seen.add(batchResumed)
			}
		}
	})
}

// TestA09_AThousandEntriesAtTheUpstreamsLimits has another conference and single adds in the same
// one take their turns meanwhile. The connection is lost half-way.
func TestA09_AThousandEntriesAtTheUpstreamsLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const entries = 1000
		h := history{Upstream: simulator.Options{Behaviour: simulator.Steady, MaxParticipants: entries, NoAdminAPI: true}, Linger: time.Second, HistoryLimit: 4}
		w, err := newHarness(h, &counts{})
		if err != nil {
			t.Fatal(err)
		}
		defer w.gateway.close()
		b := &batchCall{request: &v2.BatchAddParticipantsRequest{ConferenceId: "large", RequestId: "batch"}}
		for n := range entries {
			b.entries = append(b.entries, &addCall{})
			b.request.Entries = append(b.request.Entries, &v2.BatchEntry{PhoneNumber: fmt.Sprintf("+1202555%04d", n)})
		}
		began := time.Now()
		stream := func(ctx context.Context, resume bool) (*batchStream, error) {
			b.request.Resume = resume
			s := &batchStream{ctx: ctx, call: b, reported: map[int32]bool{}, last: time.Now()}
			return s, w.gateway.BatchAddParticipants(b.request, &grpc.GenericServerStream[
				v2.BatchAddParticipantsRequest, v2.BatchAddParticipantsResponse,
			]{ServerStream: s})
		}
		ctx, leave := context.WithTimeout(caller(batchCaller), 50*time.Second)
		defer leave()
		if _, err := stream(ctx, false); apierror.ReasonOf(err) != apierror.DeadlineExceeded {
			t.Errorf("the first stream ended with %v", err)
		}
		dialled := len(w.upstream.Dials())
		time.Sleep(20 * time.Second)
		if n := len(w.upstream.Dials()); dialled < 450 || n != dialled {
			t.Errorf("%d of 1000 were dialled in 50 s, %d without a stream", dialled, n-dialled)
		}
		var others sync.WaitGroup
		for n := range 100 {
			others.Go(func() {
				ctx, cancel := context.WithTimeout(caller("other"), time.Minute)
				defer cancel()
				_, err := w.gateway.AddParticipant(ctx, &v2.AddParticipantRequest{ConferenceId: "other", PhoneNumber: fmt.Sprintf("+1202556%04d", n)})
				if err != nil {
					t.Errorf("another conference: %v", err)
				}
			})
		}
		others.Go(func() {
			time.Sleep(5 * time.Second)
			sent := time.Now()
			added, err := w.gateway.AddParticipant(caller("single"), &v2.AddParticipantRequest{ConferenceId: "large", PhoneNumber: "+12025570000"})
			if took := time.Since(sent); err != nil || took > 2*time.Second {
				t.Errorf("a single add took %v: %v", took, err)
			}
			// The conference has room for 1,000.
			w.upstream.RemoveParticipant("large", added.GetParticipant().GetId())
		})
		s, err := stream(caller(batchCaller), true)
		others.Wait()
		if err = errors.Join(err, s.check()); err != nil || s.summary.GetAdded() != entries {
			t.Errorf("%v, %v", s.summary, err)
		}
		times := map[string]int{}
		for _, dial := range w.upstream.Dials() {
			times[dial.PhoneNumber]++
		}
		if len(times) != entries+101 || len(w.upstream.Dials()) != entries+101 {
			t.Errorf("%d phones rang, %d times", len(times), len(w.upstream.Dials()))
		}
		// 1,101 adds at 10 a second, and 20 s without a stream.
		if took := time.Since(began); took < 125*time.Second || took > 140*time.Second {
			t.Errorf("it took %v", took)
		}
		t.Logf("1000 entries and 101 other adds took %v", time.Since(began)-20*time.Second)
	})
}
