package client

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// batch is a batch over all its calls.
type batch struct {
	request *v2.BatchAddParticipantsRequest
	retries retrier
	// give gives an event to the loop. It returns false if the loop has ended.
	give func(BatchEvent) bool

	// accepted is whether Accepted was given, and given are the results that were.
	accepted bool
	given    map[int]*BatchResult
	// progressed is whether the present call has got a message.
	progressed bool
	// broken is whether no message came since the last event with Disconnected.
	broken bool
}

// run returns nil when the batch or the loop has ended.
func (b *batch) run(ctx context.Context, l *link) error {
	for {
		b.progressed = false
		failed := b.call(ctx, l)
		b.resumeAfter(failed)
		if failed == nil {
			return nil
		}
		if ended := endOf(ctx, l); ended != nil {
			return ended
		}
		wait, again := b.retries.next(failed, b.progressed)
		if !again || failed.RetryDelay > longestBatchDelay {
			return failed
		}
		if !b.giveDisconnected(failed) {
			return nil
		}
		if !sleep(ctx, wait) {
			return endOf(ctx, l)
		}
	}
}

// endOf returns why the caller ended the batch: its context or Close. Otherwise nil.
func endOf(ctx context.Context, l *link) error {
	switch {
	case l.isClosed():
		return errClosed()
	case ctx.Err() != nil:
		return contextError(ctx)
	default:
		return nil
	}
}

// resumeAfter makes the next call resume the batch, unless the gateway surely has not begun it:
// a batch that begins again could dial somebody twice.
func (b *batch) resumeAfter(failed *Error) {
	notBegun := failed != nil && !b.progressed && (failed.unsent || failed.Dialled == DialledNo)
	if !notBegun && !b.request.GetValidateOnly() {
		b.request.Resume = true
	}
}

func (b *batch) call(ctx context.Context, l *link) *Error {
	return streamCall[v2.BatchAddParticipantsResponse]{
		open: func(ctx context.Context, service v2.ParticipantServiceClient) (
			grpc.ServerStreamingClient[v2.BatchAddParticipantsResponse], error,
		) {
			return service.BatchAddParticipants(ctx, b.request)
		},
		silence: batchSilence,
		apply:   b.apply,
	}.run(ctx, l)
}

func (b *batch) apply(message *v2.BatchAddParticipantsResponse) (done bool, failed *Error) {
	b.progressed, b.broken = true, false
	switch event := message.GetEvent().(type) {
	case *v2.BatchAddParticipantsResponse_Accepted:
		if b.accepted {
			return false, nil
		}
		b.accepted = true
		return !b.give(BatchEvent{Accepted: event.Accepted}), nil
	case *v2.BatchAddParticipantsResponse_Result:
		return !b.giveResult(resultOf(event.Result)), nil
	case *v2.BatchAddParticipantsResponse_Progress:
		return !b.give(BatchEvent{Progress: event.Progress}), nil
	case *v2.BatchAddParticipantsResponse_Summary:
		b.give(BatchEvent{Summary: event.Summary})
		return true, nil
	default:
		return false, nil // A newer gateway may have other events.
	}
}

func resultOf(result *v2.BatchResult) *BatchResult {
	r := &BatchResult{Index: int(result.GetIndex()), Participant: result.GetParticipant()}
	if failed := result.GetError(); failed != nil {
		r.Err = fromStatus(status.FromProto(failed))
	}
	return r
}

// giveResult gives a result, unless it repeats an earlier one.
func (b *batch) giveResult(result *BatchResult) bool {
	if earlier, ok := b.given[result.Index]; ok && result.repeats(earlier) {
		return true
	}
	b.given[result.Index] = result
	return b.give(BatchEvent{Result: result})
}

func (r *BatchResult) repeats(earlier *BatchResult) bool {
	if r.Err == nil || earlier.Err == nil {
		return r.Err == earlier.Err
	}
	return r.Err.Code == earlier.Err.Code && r.Err.Reason == earlier.Err.Reason && r.Err.Dialled == earlier.Err.Dialled
}

func (b *batch) giveDisconnected(failed *Error) bool {
	if b.broken {
		return true
	}
	b.broken = true
	return b.give(BatchEvent{Disconnected: failed})
}
