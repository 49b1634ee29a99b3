package write

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/requestctx"
)

const (
	removeAttempts = 4
	removeDelay    = 200 * time.Millisecond
	removeBackoff  = 2 * time.Second
	// removeJitter is the part of a delay by which it varies: a quarter.
	removeJitter = 4
	// shortRetryAfter is the longest Retry-After that a remove waits for; longer ones
	// are the caller's to wait for.
	shortRetryAfter = 2 * time.Second
)

// Remove ends a participant's call. It sends again what failed in passing, as long
// as ctx allows, which is all that ends an attempt that is not answered (A6). Its errors
// are *apierror.Error; a 404 is one, unless it follows an attempt of this call whose
// answer was lost (A2).
func (w *Writer) Remove(ctx context.Context, call Call, id string) error {
	r := &removal{writer: w, call: call, id: id}
	defer r.end()
	err := failsafe.With(r.policy(ctx)).WithContext(ctx).Run(func() error { return r.attempt(ctx) })
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ended(ctx, "")
	default:
		return final(r.last, "")
	}
}

// removal is one call of Remove.
type removal struct {
	writer *Writer
	call   Call
	id     string
	// mayBeDone is the ticket of the first attempt whose answer was lost, nil where there
	// is none: whatever is learned later, the participant may have left since then.
	mayBeDone Ticket
	// last is why the last attempt failed that was sent, or why none could be.
	last error
	// tries is how many attempts have failed, delay how long to wait after the last one.
	tries int
	delay time.Duration
}

// attempt sends the remove once.
func (r *removal) attempt(ctx context.Context) error {
	if r.last != nil {
		ctx = requestctx.WithRetry(ctx)
	}
	ticket := r.writer.recorder.Begin(r.call.Key)
	err := r.call.Upstream.Remove(ctx, r.call.Key.Conference, r.id)
	if err == nil || r.mayBeDone != nil && apierror.IsNotFound(err) {
		r.done(ticket)
		return nil
	}
	r.failed(ticket, err)
	return err
}

// done tells the watchers, as of the first sending that may have done it.
func (r *removal) done(ticket Ticket) {
	if r.mayBeDone != nil {
		ticket.Drop()
		ticket, r.mayBeDone = r.mayBeDone, nil
	}
	ticket.Done(participant.Write{Kind: participant.WriteRemove, Item: participant.Item{
		Participant: participant.Participant{ID: r.id, ConferenceID: r.call.Key.Conference},
	}})
}

func (r *removal) failed(ticket Ticket, err error) {
	r.delay = delayAfter(r.tries, err)
	r.tries++
	if r.mayBeDone == nil && apierror.Classify(err) == apierror.Ambiguous {
		r.mayBeDone = ticket
	} else {
		ticket.Drop()
	}
	if r.last == nil || apierror.ReasonOf(err) != apierror.BreakerOpen {
		r.last = err
	}
}

// end drops what is still held of a removal that failed.
func (r *removal) end() {
	if r.mayBeDone != nil {
		r.mayBeDone.Drop()
	}
}

// policy is how one remove is sent again. All share the budget that keeps a failing
// upstream from being sent every remove four times.
func (r *removal) policy(ctx context.Context) failsafe.Policy[any] {
	return retrypolicy.NewBuilder[any]().
		HandleIf(func(_ any, err error) bool { return mayPass(err) && r.inTime(ctx) }).
		WithMaxAttempts(removeAttempts).
		WithDelayFunc(func(failsafe.ExecutionAttempt[any]) time.Duration { return r.delay }).
		WithBudget(r.writer.removeBudget).
		ReturnLastFailure().
		Build()
}

// inTime says whether the wait for the next attempt ends before the deadline: a longer
// one is not begun (A6).
func (r *removal) inTime(ctx context.Context) bool {
	deadline, bounded := ctx.Deadline()
	return !bounded || time.Now().Add(r.delay).Before(deadline)
}

// mayPass says whether a remove that failed so may succeed when it is sent again.
func mayPass(err error) bool {
	return err != nil && apierror.Classify(err) != apierror.Refused && apierror.RetryAfterOf(err) <= shortRetryAfter
}

// delayAfter is how long to wait after a failed attempt, tries having failed before: no
// shorter than the upstream's Retry-After or, where it gave none, about the back-off.
func delayAfter(tries int, err error) time.Duration {
	if asked := apierror.RetryAfterOf(err); asked > 0 {
		return asked + rand.N(asked/removeJitter)
	}
	delay := min(removeDelay<<tries, removeBackoff)
	return delay - delay/removeJitter + rand.N(2*delay/removeJitter)
}
