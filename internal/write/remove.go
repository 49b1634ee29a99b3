package write

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/budget"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"github.com/audian/participant-gateway/internal/participant"
)

const (
	removeAttempts = 4
	removeDelay    = 200 * time.Millisecond
	removeBackoff  = 2 * time.Second
	removeJitter   = 0.25
	// shortRetryAfter is the longest Retry-After that a remove waits for; longer ones
	// are the caller's to wait for.
	shortRetryAfter = 2 * time.Second
)

// Remove ends a participant's call. It sends again what failed in passing, as long
// as ctx allows, which is all that ends an attempt that is not answered (A6). Its errors
// are *participant.Error; a 404 is one, unless it follows an attempt of this call whose
// answer was lost (A2).
func (w *Writer) Remove(ctx context.Context, call Call, id string) error {
	r := &removal{writer: w, call: call, id: id}
	defer r.end()
	err := w.removes.WithContext(ctx).Run(func() error { return r.attempt(ctx) })
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
}

// attempt sends the remove once.
func (r *removal) attempt(ctx context.Context) error {
	if r.last != nil {
		ctx = participant.AsRetry(ctx)
	}
	ticket := r.writer.recorder.Begin(r.call.Key)
	err := r.call.Upstream.Remove(ctx, r.call.Key.Conference, r.id)
	if err == nil || r.mayBeDone != nil && isNotFound(err) {
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
	if r.mayBeDone == nil && fateOf(err) == lost {
		r.mayBeDone = ticket
	} else {
		ticket.Drop()
	}
	if r.last == nil || participant.ReasonOf(err) != participant.BreakerOpen {
		r.last = err
	}
}

// end drops what is still held of a removal that failed.
func (r *removal) end() {
	if r.mayBeDone != nil {
		r.mayBeDone.Drop()
	}
}

func isNotFound(err error) bool {
	e, ok := errors.AsType[*participant.Error](err)
	return ok && e.VendorShaped && e.UpstreamStatus == http.StatusNotFound
}

// removePolicy is shared by all removes, and with it the budget that keeps a failing
// upstream from being sent every remove four times.
func removePolicy() failsafe.Policy[any] {
	return retrypolicy.NewBuilder[any]().
		HandleIf(func(_ any, err error) bool { return passing(err) }).
		WithMaxAttempts(removeAttempts).
		WithBackoff(removeDelay, removeBackoff).
		WithDelayFunc(retryAfterOf).
		WithJitterFactor(removeJitter).
		WithBudget(budget.New()).
		ReturnLastFailure().
		Build()
}

// passing says whether a remove that failed so may succeed when it is sent again.
func passing(err error) bool {
	return err != nil && fateOf(err) != refused && failure(err, "").RetryAfter <= shortRetryAfter
}

// retryAfterOf lets the upstream's Retry-After replace the back-off. Half is added,
// so that jitter never falls short of it.
func retryAfterOf(attempt failsafe.ExecutionAttempt[any]) time.Duration {
	const useBackoff = -1
	e, ok := errors.AsType[*participant.Error](attempt.LastError())
	if !ok || e.RetryAfter == 0 {
		return useBackoff
	}
	return e.RetryAfter + e.RetryAfter/2
}
