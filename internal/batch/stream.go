package batch

import (
	"context"
	"io"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// progressInterval is the longest time between two reports of the progress. It is less than 5 s,
// so that they do not arrive later.
const progressInterval = 4 * time.Second

// Event is one message of a stream: one of its fields is set.
type Event struct {
	Accepted *Accepted
	Result   *Result
	Progress *Progress
	Summary  *Summary
}

// Accepted reports that the batch is begun, or joined.
type Accepted struct {
	Count int
	// Expected is how long the sending takes if nothing else is added.
	Expected time.Duration
}

// Result is the outcome of an entry: Err is nil if the participant was added.
type Result struct {
	Index       int
	Participant participant.Participant
	Err         error
}

// Progress reports how many entries have an outcome.
type Progress struct {
	Done, Failed, Total int
	// Remaining is how long the rest is expected to take.
	Remaining time.Duration
}

// Summary are the totals.
type Summary struct {
	Added, Failed, Unknown int
}

// Validated returns the events of a batch of n entries that is only validated (A10).
func (b *Batches) Validated(n int) []Event {
	return []Event{{Accepted: &Accepted{Count: n, Expected: b.duration(n)}}, {Summary: &Summary{}}}
}

// Stream is one call's view of a batch. Only one goroutine may use it.
type Stream struct {
	batches *Batches
	batch   *batch

	accepted, ended bool
	// position is that in the batch's log. reported are the entries whose outcomes were returned.
	position int
	reported []bool
	summary  Summary
	progress *time.Timer
}

// newStream returns a stream that reports every outcome which is final, and all later ones.
// Batches.mu is held.
func newStream(b *Batches, joined *batch) *Stream {
	return &Stream{
		batches: b, batch: joined,
		reported: make([]bool, len(joined.entries)),
		progress: time.NewTimer(progressInterval),
	}
}

// Close ends the stream. If it was the last of its batch, what was not sent is stopped.
func (s *Stream) Close() {
	s.progress.Stop()
	s.batches.leave(s.batch)
}

// Next waits for the next event. After the last one it returns io.EOF.
func (s *Stream) Next(ctx context.Context) (Event, error) {
	if !s.accepted {
		s.accepted = true
		n := len(s.batch.entries)
		return Event{Accepted: &Accepted{Count: n, Expected: s.batches.duration(n)}}, nil
	}
	for {
		event, changed, err := s.next()
		if err != nil || changed == nil {
			return event, err
		}
		select {
		case <-changed:
		case <-s.progress.C:
			s.progress.Reset(progressInterval)
			return s.progressEvent(), nil
		case <-s.batches.drainBegins():
		case <-ctx.Done():
			return Event{}, context.Cause(ctx)
		}
	}
}

// next returns the next event without waiting, or a channel that is closed when there may be one.
func (s *Stream) next() (Event, <-chan struct{}, error) {
	select {
	case <-s.progress.C:
		s.progress.Reset(progressInterval)
		return s.progressEvent(), nil, nil
	default:
	}
	s.batches.mu.Lock()
	defer s.batches.mu.Unlock()
	if result := s.result(); result != nil {
		return Event{Result: result}, nil, nil
	}
	switch {
	case s.ended:
		return Event{}, nil, io.EOF
	case s.summary.total() == len(s.reported):
		s.ended = true
		return Event{Summary: new(s.summary)}, nil, nil
	case s.batches.isDraining() && s.batch.adding == 0:
		return Event{}, nil, draining()
	default:
		return Event{}, s.batch.changed, nil
	}
}

// result returns the next outcome that was not reported, or nil.
func (s *Stream) result() *Result {
	for s.position < len(s.batch.log) {
		index := s.batch.log[s.position]
		s.position++
		e := s.batch.entries[index]
		if s.reported[index] || e.state != done {
			continue
		}
		s.reported[index] = true
		s.summary.count(e.err)
		return &Result{Index: index, Participant: e.added.Participant.Participant, Err: e.err}
	}
	return nil
}

// count adds an outcome.
func (s *Summary) count(err error) {
	switch {
	case err == nil:
		s.Added++
	case apierror.From(err).Dialled == apierror.DialledNo:
		s.Failed++
	default:
		s.Unknown++
	}
}

func (s *Summary) total() int { return s.Added + s.Failed + s.Unknown }

func (s *Stream) progressEvent() Event {
	s.batches.mu.Lock()
	defer s.batches.mu.Unlock()
	return Event{Progress: &Progress{
		Done: s.summary.total(), Failed: s.summary.Failed + s.summary.Unknown, Total: len(s.reported),
		Remaining: s.batches.remaining(s.batch),
	}}
}

// remaining returns how long it takes to send the rest, at the pace so far.
func (b *Batches) remaining(of *batch) time.Duration {
	left := 0
	for _, e := range of.entries {
		if e.state == waiting {
			left++
		}
	}
	expected := b.duration(left)
	if s := of.sending; s != nil && s.started > 0 {
		expected = max(expected, time.Duration(left)*(time.Since(s.began)/time.Duration(s.started)))
	}
	return expected.Round(time.Millisecond)
}

// duration returns how long n adds take if nothing else is added.
func (b *Batches) duration(n int) time.Duration {
	return (time.Duration(n) * b.options.Interval).Round(time.Millisecond)
}

// drainBegins returns a channel that is closed when the drain begins; nil if it has begun.
func (b *Batches) drainBegins() <-chan struct{} {
	if b.isDraining() {
		return nil
	}
	return b.options.Draining
}
