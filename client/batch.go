package client

import (
	"context"
	"crypto/rand"
	"iter"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// BatchEvent reports how far a batch is. Exactly one field is set.
type BatchEvent struct {
	// Accepted reports that the batch is valid and dialling begins. It comes once, first.
	Accepted *v2.BatchAccepted
	// Result is the outcome of one entry.
	Result *BatchResult
	// Progress comes at least every 5 s.
	Progress *v2.BatchProgress
	// Summary is the last event.
	Summary *v2.BatchSummary
	// Disconnected reports that the stream broke. The batch goes on by itself.
	Disconnected *Error
}

// BatchResult is the outcome of one entry: a participant, or an error.
type BatchResult struct {
	// Index is the index of the entry, from 0.
	Index int
	// Participant is the participant as the upstream accepted it. nil if there is an error.
	Participant *v2.Participant
	// Err is why the entry was not added, or that its outcome is unknown: its Dialled says
	// which. nil if the participant was added.
	Err *Error
}

// BatchOption is an option of [Client.BatchAdd].
type BatchOption func(*v2.BatchAddParticipantsRequest)

// RequestID is the id of the batch: 1 to 128 printable ASCII characters. A program that may
// restart in the middle of a batch stores it. Default: a random one.
func RequestID(id string) BatchOption {
	return func(r *v2.BatchAddParticipantsRequest) { r.RequestId = id }
}

// ResumeBatch goes on with the batch of [RequestID] that an earlier call began, with the
// same entries. If the gateway no longer holds it, the error is FAILED_PRECONDITION, reason
// BATCH_UNKNOWN.
func ResumeBatch() BatchOption {
	return func(r *v2.BatchAddParticipantsRequest) { r.Resume = true }
}

// Order is the order in which the entries are dialled. Default: presenters first.
func Order(order v2.BatchOrder) BatchOption {
	return func(r *v2.BatchAddParticipantsRequest) { r.Order = order }
}

// ValidateOnly checks the batch without dialling: the events are Accepted and a Summary of
// zeros.
func ValidateOnly() BatchOption {
	return func(r *v2.BatchAddParticipantsRequest) { r.ValidateOnly = true }
}

// batchSilence is three times the longest time between two messages of a batch.
const batchSilence = 15 * time.Second

// longestBatchDelay is the longest delay that a batch accepts. Its phones ring when the caller
// expects it, or not at all.
const longestBatchDelay = time.Minute

// BatchAdd adds up to 1000 participants to a conference, and gives the outcome of each
// entry as it is known. Nobody is dialled twice.
//
// When the stream breaks, BatchAdd gives an event with Disconnected, waits as [Client.Watch]
// does, and goes on with the same batch. A stream that is silent for 15 s is a break too. An
// outcome that the gateway then repeats is given once. An entry that surely was not dialled
// can get a second result, when the gateway has tried it again.
//
// The iteration ends after the Summary, or with an error: one after which [Client.Watch] ends
// too (BATCH_UNKNOWN means that the gateway does not hold the batch any more, and that phones
// may ring), one that asks to wait for more than a minute, or CANCELLED or DEADLINE_EXCEEDED
// when ctx ends. If the iteration ends early, the gateway dials no further entry.
//
// A second loop over the same iterator goes on with the batch. Loops must not run at once.
func (c *Client) BatchAdd(
	ctx context.Context, conference string, entries []*v2.BatchEntry, options ...BatchOption,
) iter.Seq2[BatchEvent, error] {
	b := &batch{
		request: &v2.BatchAddParticipantsRequest{ConferenceId: conference, Entries: entries},
		retries: retrier{renewable: c.renewable},
		given:   map[int]*BatchResult{},
	}
	for _, option := range options {
		option(b.request)
	}
	if b.request.GetRequestId() == "" {
		b.request.RequestId = rand.Text()
	}
	return func(yield func(BatchEvent, error) bool) {
		ctx, cancel := c.untilClosed(ctx)
		defer cancel()
		b.give = func(event BatchEvent) bool { return yield(event, nil) }
		if err := b.run(ctx, c.link); err != nil {
			yield(BatchEvent{}, err)
		}
	}
}
