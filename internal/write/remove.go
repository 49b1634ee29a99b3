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
	// removeTimeout bounds one attempt, so that a hanging one leaves time for another.
	removeTimeout = 10 * time.Second
	removeDelay   = 200 * time.Millisecond
	removeBackoff = 2 * time.Second
	removeJitter  = 0.25
	// shortRetryAfter is the longest Retry-After that a remove waits for; longer ones
	// are the caller's to wait for.
	shortRetryAfter = 2 * time.Second
)

// Remove ends a participant's call. It sends again what failed in passing, as long
// as ctx allows. Its errors are *participant.Error; a 404 is one, unless it follows
// an attempt of this call whose answer was lost (A2).
func (w *Writer) Remove(ctx context.Context, call Call, id string) error {
	r := &removal{writer: w, call: call, id: id}
	err := w.removes.WithContext(ctx).Run(func() error { return r.attempt(ctx) })
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ended(ctx, "")
	case errors.Is(err, budget.ErrExceeded):
		return final(r.last, "")
	default:
		return final(err, "")
	}
}

// removal is one call of Remove.
type removal struct {
	writer *Writer
	call   Call
	id     string
	// mayBeDone says that the answer of an attempt was lost.
	mayBeDone bool
	last      error
}

// attempt sends the remove once.
func (r *removal) attempt(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, removeTimeout)
	defer cancel()
	ticket := r.writer.recorder.Begin(r.call.Key)
	r.last = r.call.Upstream.Remove(ctx, r.call.Key.Conference, r.id)
	if r.last == nil || r.mayBeDone && isNotFound(r.last) {
		ticket.Done(participant.Write{Kind: participant.WriteRemove, Item: r.item()})
		return nil
	}
	ticket.Drop()
	r.mayBeDone = r.mayBeDone || fateOf(r.last) == lost
	return r.last
}

func (r *removal) item() participant.Item {
	return participant.Item{Participant: participant.Participant{
		ID: r.id, ConferenceID: r.call.Key.Conference,
	}}
}

func isNotFound(err error) bool {
	e, ok := errors.AsType[*participant.Error](err)
	return ok && e.UpstreamStatus == http.StatusNotFound
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
