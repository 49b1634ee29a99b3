package replicahistories_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/simulator"
)

// adds are the adds of the history. Each has its own phone number.
type adds struct {
	mu  sync.Mutex
	all []*addition
}

// addition is one add, and the results of its calls.
type addition struct {
	request *v2.AddParticipantRequest
	first   time.Time
	last    time.Time
	calls   int
	answers []answered
}

type answered struct {
	id  string
	err error
}

func (w *world) newAdd(withID bool) *addition {
	w.adds.mu.Lock()
	defer w.adds.mu.Unlock()
	n := len(w.adds.all)
	a := &addition{first: time.Now(), request: &v2.AddParticipantRequest{
		ConferenceId: conference, PhoneNumber: fmt.Sprintf("+1202555%04d", n), Name: fmt.Sprintf("Callee %d", n), Role: v2.ParticipantRole(w.random.IntN(3)),
	}}
	if withID {
		a.request.RequestId = fmt.Sprintf("request-%d", n)
	}
	w.adds.all = append(w.adds.all, a)
	return a
}

func (w *world) add() { w.call(w.any(), w.newAdd(w.random.IntN(2) == 0)) }

// addTwice sends one request to two replicas at once (R6).
func (w *world) addTwice() {
	a, slot := w.newAdd(true), w.random.IntN(slots)
	w.call(w.replicas[slot], a)
	w.call(w.replicas[(slot+1)%slots], a)
	w.seen.add(addedTwice)
}

// retryAdd repeats a request, mostly at another replica.
func (w *world) retryAdd() {
	w.adds.mu.Lock()
	var retried *addition
	for _, a := range w.adds.all {
		if a.request.GetRequestId() != "" && (retried == nil || w.random.IntN(2) == 0) {
			retried = a
		}
	}
	w.adds.mu.Unlock()
	if retried != nil {
		w.call(w.any(), retried)
	}
}

// addMany sends more adds than a second allows (R5).
func (w *world) addMany() {
	for range 6 {
		w.add()
	}
	w.seen.add(addedMany)
}

func (w *world) call(r *replica, a *addition) {
	w.adds.mu.Lock()
	a.calls++
	w.adds.mu.Unlock()
	w.notef("%s adds %s %s", r.name, a.request.GetPhoneNumber(), a.request.GetRequestId())
	w.calls.Go(func() {
		ctx, cancel := context.WithTimeout(caller(a.request.GetPhoneNumber()), 10*time.Second)
		defer cancel()
		response, err := r.AddParticipant(ctx, a.request)
		w.adds.mu.Lock()
		a.answers = append(a.answers, answered{response.GetParticipant().GetId(), err})
		a.last = time.Now()
		w.adds.mu.Unlock()
		w.notef("%s added %s: %s %v", r.name, a.request.GetPhoneNumber(), response.GetParticipant().GetId(), err)
	})
}

func (w *world) notef(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.eventf(format, args...)
}

func (w *world) remove() { w.write((*replica).removeOne) }

func (w *world) control() {
	w.write([]func(r *replica, ctx context.Context, id string) error{(*replica).mute, (*replica).hold, (*replica).unhold, (*replica).disconnect}[w.random.IntN(4)])
}

func (w *world) write(do func(r *replica, ctx context.Context, id string) error) {
	id, r := w.someone(), w.any()
	if id == "" {
		return
	}
	w.calls.Go(func() {
		ctx, cancel := context.WithTimeout(caller("write"), 10*time.Second)
		defer cancel()
		err := do(r, ctx, id)
		w.notef("%s wrote %s: %v", r.name, id, err)
	})
}

func (r *replica) removeOne(ctx context.Context, id string) error {
	_, err := r.RemoveParticipant(ctx, &v2.RemoveParticipantRequest{ConferenceId: conference, ParticipantId: id})
	return err
}

func (r *replica) mute(ctx context.Context, id string) error {
	_, err := r.MuteParticipant(ctx, &v2.MuteParticipantRequest{ConferenceId: conference, ParticipantId: id})
	return err
}

func (r *replica) hold(ctx context.Context, id string) error {
	_, err := r.HoldParticipant(ctx, &v2.HoldParticipantRequest{ConferenceId: conference, ParticipantId: id})
	return err
}

func (r *replica) unhold(ctx context.Context, id string) error {
	_, err := r.ResumeParticipant(ctx, &v2.ResumeParticipantRequest{ConferenceId: conference, ParticipantId: id})
	return err
}

func (r *replica) disconnect(ctx context.Context, id string) error {
	_, err := r.DisconnectParticipant(ctx, &v2.DisconnectParticipantRequest{ConferenceId: conference, ParticipantId: id})
	return err
}

// checkAdds compares the results with the phone calls (A2, A3, R5, R6).
func (w *world) checkAdds() {
	dials := map[string][]simulator.Dial{}
	for _, dial := range w.upstream.Dials() {
		dials[dial.PhoneNumber] = append(dials[dial.PhoneNumber], dial)
	}
	w.adds.mu.Lock()
	defer w.adds.mu.Unlock()
	for _, a := range w.adds.all {
		if !w.mayBeLost(a) {
			w.fail("R6 "+a.request.GetPhoneNumber(), a.check(dials[a.request.GetPhoneNumber()]))
		}
		w.countAdd(a)
	}
}

func (w *world) countAdd(a *addition) {
	succeeded := 0
	for _, answer := range a.answers {
		switch {
		case answer.err == nil:
			succeeded++
		case apierror.ReasonOf(answer.err) == apierror.AddOutcomeUnknown:
			w.seen.add(outcomeUnknown)
		case apierror.ReasonOf(answer.err) == apierror.SharedStateUnavailable:
			w.seen.add(refusedWithoutRedis)
		}
	}
	if succeeded > 1 {
		w.seen.add(oneOutcome)
	}
}

// mayBeLost reports whether docs/operations.md allows that the claim on a request was lost: Redis
// was flushed, or lost its data and the replica that knew of the request had left.
func (w *world) mayBeLost(a *addition) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := a.last.Add(time.Second)
	lost := anyBetween(w.losses, a.first, last) && anyBetween(w.departures, a.first, last)
	return a.calls > 1 && (anyBetween(w.flushes, a.first, last) || lost)
}

// check fails unless the add has one outcome.
func (a *addition) check(dials []simulator.Dial) error {
	if len(dials) > 1 {
		return fmt.Errorf("dialled %d times: %+v; answers %+v", len(dials), dials, a.answers)
	}
	for _, answer := range a.answers {
		if answer.err != nil {
			e, ok := errors.AsType[*apierror.Error](answer.err)
			if ok && e.Dialled == apierror.DialledNo && len(dials) > 0 && a.calls == 1 {
				return fmt.Errorf("dialled, but the answer says no: %w", answer.err)
			}
			continue
		}
		if len(dials) == 0 || dials[0].Participant != answer.id {
			return fmt.Errorf("the answer is %s, the calls are %+v", answer.id, dials)
		}
	}
	return nil
}
