package write

import (
	"context"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// maxRemoveRetries is how often a remove is sent again.
const maxRemoveRetries = 3

// Remove ends a participant's call. It retries failures that may be temporary for as long as
// ctx allows; only ctx bounds a request without an answer (A6). Its errors are
// *apierror.Error. A 404 of the upstream itself is an error unless an earlier request of this
// call lost its answer (A2).
func (w *Writer) Remove(ctx context.Context, call Call, id string) error {
	r := &removal{writer: w, call: call, id: id}
	err := w.removes.Do(ctx, func() error { return r.send(ctx) }, isRetryable)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return contextError(ctx, "")
	default:
		return withRetryAfter(r.err, "")
	}
}

// removal is one call of Remove.
type removal struct {
	writer *Writer
	call   Call
	id     string
	// lost is the ticket of the first request that lost its answer; nil if there is none.
	// The participant may have left since then.
	lost Ticket
	// err is the error of the last request that was sent, or of the first that was not.
	err error
}

// send sends the remove once.
func (r *removal) send(ctx context.Context) error {
	if r.err != nil {
		ctx = requestctx.WithRetry(ctx)
	}
	ticket := r.writer.recorder.Begin(r.call.Key)
	err := r.call.Upstream.Remove(ctx, r.call.Key.Conference, r.id)
	if err == nil || r.lost != nil && apierror.IsNotFound(err) {
		r.succeeded(ticket)
		return nil
	}
	r.failed(ticket, err)
	return err
}

// succeeded records the remove as of the first request that may have been carried out.
func (r *removal) succeeded(ticket Ticket) {
	if r.lost != nil {
		ticket = r.lost
	}
	ticket.Done(participant.Write{Kind: participant.WriteRemove, Item: participant.Item{
		Participant: participant.Participant{ID: r.id, ConferenceID: r.call.Key.Conference},
	}})
}

func (r *removal) failed(ticket Ticket, err error) {
	if r.lost == nil && apierror.Classify(err) == apierror.Ambiguous {
		r.lost = ticket
	}
	if r.err == nil || apierror.ReasonOf(err) != apierror.BreakerOpen {
		r.err = err
	}
}

// isRetryable reports whether a remove that failed may succeed when it is sent again.
func isRetryable(err error) bool { return apierror.Classify(err) != apierror.Refused }
