package client

import (
	"context"
	"iter"

	conferencev2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// BatchEvent reports how far a batch is. Exactly one field is set.
type BatchEvent struct {
	// Accepted reports that the batch is valid and dialling begins. It comes once, first.
	Accepted *conferencev2.BatchAccepted
	// Result is the outcome of one entry.
	Result *BatchResult
	// Progress comes at least every 5 s.
	Progress *conferencev2.BatchProgress
	// Summary is the last event.
	Summary *conferencev2.BatchSummary
	// Disconnected reports that the stream broke. The batch goes on by itself.
	Disconnected *Error
}

// BatchResult is the outcome of one entry: a participant, or an error.
type BatchResult struct {
	// Index is the index of the entry, from 0.
	Index int
	// Participant is the participant as the upstream accepted it. nil if there is an error.
	Participant *conferencev2.Participant
	// Err is why the entry was not added, or that its outcome is unknown: its Dialled says which. nil if the
	// participant was added.
	Err *Error
}

// BatchOption is an option of [Client.BatchAdd].
type BatchOption func(*conferencev2.BatchAddParticipantsRequest)

// RequestID is the id of the batch: 1 to 128 printable ASCII characters. A program that may
// restart in the middle of a batch stores it. Default: a random one.
func RequestID(id string) BatchOption { return nil }

// ResumeBatch goes on with the batch of [RequestID] that an earlier call began, with the
// same entries. If the gateway no longer holds it, the error is FAILED_PRECONDITION, reason
// BATCH_UNKNOWN.
func ResumeBatch() BatchOption { return nil }

// Order is the order in which the entries are dialled. Default: presenters first.
func Order(order conferencev2.BatchOrder) BatchOption { return nil }

// ValidateOnly checks the batch without dialling: the events are Accepted and a Summary of
// zeros.
func ValidateOnly() BatchOption { return nil }

// BatchAdd adds up to 1000 participants to a conference, and returns the outcome of each
// entry as it is known. Nobody is dialled twice.
//
// When the stream breaks, BatchAdd gives an event with Disconnected, waits as [Client.Watch] does, and goes on with the
// same batch. An outcome that the gateway then repeats is given once. An entry that
// surely was not dialled can get a second result, when the gateway has tried it again.
//
// The iteration ends after the Summary, or with an error: one that refuses the batch, with
// its Dialled (BATCH_UNKNOWN is always final: the gateway no longer holds the batch, and some entries may have been
// dialled), one that asks to wait for more than a minute, or CANCELLED or DEADLINE_EXCEEDED when ctx ends. The gateway then dials no further entry.
func (c *Client) BatchAdd(
	ctx context.Context, conference string, entries []*conferencev2.BatchEntry, options ...BatchOption,
) iter.Seq2[BatchEvent, error] {
	return nil
}
