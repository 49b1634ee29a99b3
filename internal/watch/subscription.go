package watch

import (
	"context"
	"io"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
)

const (
	// openWithin is how long a stream waits for the first list before it says that
	// there is none: W1's 5 s, with room for the message to arrive.
	openWithin = 4500 * time.Millisecond
	// heartbeatLead is the share of the heartbeat interval by which a checkpoint is
	// sent early, so that it arrives within the interval (W13).
	heartbeatLead = 20
)

// Subscription is one client's stream. It belongs to one goroutine.
type Subscription struct {
	feed  *feed.Feed
	view  *view
	timer *time.Timer
	leave func()

	// came is the token the client came with, and resume what it says.
	came   string
	resume *token
	openBy time.Time
	// opened says that a snapshot was sent or the resume accepted; from then on the
	// client is at cursor, and counts is what it holds there.
	opened bool
	cursor feed.Position
	counts Counts

	// reportedStale is what the client last heard of the roster, staleReason why, and
	// checkpointDue that a checkpoint follows though nothing flipped.
	reportedStale bool
	staleReason   apierror.Reason
	checkpointDue bool

	heartbeat time.Duration
	// beatAt is when the next checkpoint is due, whatever else is sent.
	beatAt time.Time
	// beatBehind says that the last message was a checkpoint sent while there was more to
	// send: what there is goes next, however slowly the client reads.
	beatBehind bool
	ended      bool
}

// Next gives the next message, waiting for it. It returns io.EOF after the end of the
// conference, the upstream's refusal where that ends the stream, and the cause where
// ctx ends.
func (s *Subscription) Next(ctx context.Context) (*Message, error) {
	for {
		state := s.feed.State()
		message, err := s.step(state, time.Now())
		if message != nil || err != nil {
			return message, err
		}
		if err := s.wait(ctx, state.Changed()); err != nil {
			return nil, err
		}
	}
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.timer.Stop()
	s.leave()
}

func (s *Subscription) wait(ctx context.Context, changed <-chan struct{}) error {
	s.timer.Reset(time.Until(s.wakeAt()))
	select {
	case <-changed:
	case <-s.timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// wakeAt is when there is something to send even if the feed does not change.
func (s *Subscription) wakeAt() time.Time {
	if !s.opened && !s.reportedStale && s.openBy.Before(s.beatAt) {
		return s.openBy
	}
	return s.beatAt
}

// step gives the message that is due now, if any.
func (s *Subscription) step(state *feed.State, now time.Time) (*Message, error) {
	switch {
	case s.ended:
		return nil, io.EOF
	case s.opened:
		return s.follow(state, now)
	case state.Known:
		return s.open(state, now)
	case state.End != nil:
		return nil, state.End.Err
	default:
		return s.waitForList(state, now), nil
	}
}

// waitForList says, when the time has come, that no list could be read yet (W1).
func (s *Subscription) waitForList(state *feed.State, now time.Time) *Message {
	if now.Before(s.wakeAt()) {
		return nil
	}
	s.reportedStale, s.staleReason = true, state.StaleReason
	s.beatAt = now.Add(s.heartbeat)
	return &Message{Token: s.came, Checkpoint: checkpoint(state, nil)}
}

// open begins the stream on a known feed: where the token is good and the filter the
// same, with what was missed; otherwise with a snapshot (W1, W4).
func (s *Subscription) open(state *feed.State, now time.Time) (*Message, error) {
	reason, missed := s.opening(state)
	if reason != 0 {
		// A stale roster is called so in any case, though the client may have heard it
		// before there was one.
		snapshot := s.sendSnapshot(state, reason)
		s.checkpointDue = state.Stale
		return snapshot, nil
	}
	s.opened, s.checkpointDue = true, true
	s.cursor = s.resume.position
	s.counts = Counts{Total: state.Total, Active: state.Active, Visible: s.view.count(state)}
	for i := range missed {
		s.counts.Visible -= s.view.growth(&missed[i])
	}
	return s.follow(state, now)
}

// opening gives the reason for a snapshot, or, where it is 0, what a resume missed. A
// stream that has sent a STALE checkpoint has waited for the first list of a new
// log, which no token knows.
func (s *Subscription) opening(state *feed.State) (SnapshotReason, []feed.Entry) {
	if s.resume == nil {
		return Initial, nil
	}
	missed, kept := state.After(s.resume.position)
	switch {
	case !kept || s.resume.conference != s.feed.Key().Conference:
		return ResumeExpired, nil
	case s.resume.filter != s.view.hash:
		return FilterChanged, nil
	default:
		return 0, missed
	}
}

func (s *Subscription) sendSnapshot(state *feed.State, reason SnapshotReason) *Message {
	s.opened, s.checkpointDue = true, false
	s.cursor = state.Position
	s.counts = Counts{Total: state.Total, Active: state.Active, Visible: s.view.count(state)}
	return s.view.snapshot(state, reason)
}

// follow gives the next message of an opened stream: a heartbeat that is due, else
// what the log holds after the cursor, else the flip of freshness, else the end.
func (s *Subscription) follow(state *feed.State, now time.Time) (*Message, error) {
	missed, kept := state.After(s.cursor)
	if (!kept || len(missed) > 0) && !now.Before(s.beatAt) && !s.beatBehind {
		return s.sendBehind(state, now), nil
	}
	s.beatBehind = false
	if !kept {
		return s.sendSnapshot(state, Lagged), nil
	}
	if message := s.advance(state, missed); message != nil {
		// What was missed takes the place of a FRESH checkpoint, but not of a STALE one.
		s.checkpointDue = s.checkpointDue && state.Stale
		return message, nil
	}
	if s.checkpointDue || state.Stale != s.reportedStale || !now.Before(s.beatAt) {
		return s.sendAtHead(state, now), nil
	}
	if state.End == nil {
		return nil, nil //nolint:nilnil // Nothing is due.
	}
	if !state.End.Gone {
		return nil, state.End.Err
	}
	s.ended = true
	return &Message{Token: s.view.token(s.cursor), End: &End{}}, nil
}

// advance moves the cursor over the entries up to the first that the filter shows.
func (s *Subscription) advance(state *feed.State, missed []feed.Entry) *Message {
	for i := range missed {
		entry := &missed[i]
		seen := s.view.entry(state, entry)
		s.cursor.Seq = entry.Seq
		s.counts.Total, s.counts.Active = entry.Total, entry.Active
		s.counts.Visible += seen.delta
		if seen.message != nil {
			return seen.message
		}
	}
	return nil
}

// sendAtHead sends the checkpoint of the state, all of which the client has seen.
func (s *Subscription) sendAtHead(state *feed.State, now time.Time) *Message {
	s.reportedStale, s.staleReason, s.checkpointDue = state.Stale, state.StaleReason, false
	s.cursor = state.Position
	s.beatAt = now.Add(s.heartbeat)
	return s.view.atHead(state)
}

// sendBehind sends the heartbeat of a client that reads so slowly that it never
// reaches the head. Its counts are of its own position; a flip of freshness is sent
// only at the head, after the changes that came before it.
func (s *Subscription) sendBehind(state *feed.State, now time.Time) *Message {
	s.beatAt, s.beatBehind = now.Add(s.heartbeat), true
	counts := s.counts
	beat := checkpoint(state, &counts)
	beat.Stale, beat.StaleReason = s.reportedStale, s.staleReason
	return &Message{Token: s.view.token(s.cursor), Checkpoint: beat}
}
