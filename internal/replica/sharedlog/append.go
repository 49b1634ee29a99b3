package sharedlog

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
)

// Tick advances the conference's logical clock (W5) and returns its new time: later than
// every time that a replica got before, and than atLeast, the latest one that the caller
// knows.
func (l *Log) Tick(ctx context.Context, atLeast uint64) (uint64, error) {
	reply, err := l.logs.conn.Run(ctx, tickScript, []string{l.keys.clock}, atLeast)
	if err != nil {
		return 0, fmt.Errorf("tick: %w", err)
	}
	f := newFields([]any{reply})
	tick := f.number()
	return tick, f.err
}

// Append appends a batch, if the log's head is the expected one and the author may append.
// After an error the batch may be in the log or not: the caller appends the same batch
// again, or waits for its followers.
func (l *Log) Append(ctx context.Context, b Batch) (Result, error) {
	k := l.keys
	reply, err := l.logs.conn.Run(ctx, appendScript, []string{k.head, k.members, k.entries, k.clock, k.lease}, l.arguments(b)...)
	if err != nil {
		return Result{}, fmt.Errorf("append: %w", err)
	}
	f := newFields(reply)
	result := Result{Outcome: Outcome(f.text()), Head: f.head(), Tick: f.number()}
	if f.err != nil {
		return Result{}, fmt.Errorf("append: %w", f.err)
	}
	l.report(b, result)
	return result, nil
}

// report lets the observer and the follower know the result of a batch.
func (l *Log) report(b Batch, result Result) {
	if result.Outcome == Fenced {
		b.Lease.end()
	}
	switch result.Outcome {
	case Fenced, TooOld:
		if l.logs.observer != nil {
			l.logs.observer.Refused(result.Outcome)
		}
	case Appended, Repeated, Conflict:
		l.expect(result.Head)
	case Missing:
	}
}

// arguments returns the arguments of append.lua.
func (l *Log) arguments(b Batch) []any {
	term, newEpoch := "", ""
	if b.Lease != nil {
		term = b.Lease.value()
	}
	if b.Base {
		newEpoch = newEpochText()
	}
	args := make([]any, 0, 19+2*len(b.Members)+len(b.Forgotten))
	args = append(args,
		l.keys.channel, b.ID, term, b.Answered.UnixMicro(), maxWriteAge.Microseconds(),
		hex.EncodeToString(b.Expected.Epoch[:]), b.Expected.Commits, newEpoch, b.Clock, b.Listed, b.ListTick,
		b.Base || len(b.Members) > 0 || b.Changes > 0, b.Changes, b.Entry, b.Marks, b.Status,
		strconv.FormatUint(b.Floor, 10), maxHistoryAge.Microseconds(), len(b.Members),
	)
	for id, member := range b.Members {
		args = append(args, id, member)
	}
	for _, id := range b.Forgotten {
		args = append(args, id)
	}
	return args
}

func newEpochText() string {
	var epoch Epoch
	// Read never fails: the runtime ends the process instead.
	_, _ = rand.Read(epoch[:])
	return hex.EncodeToString(epoch[:])
}
