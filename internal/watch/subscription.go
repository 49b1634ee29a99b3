package watch

import (
	"context"
	"io"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
)

const (
	// openTimeout is how long a stream waits for the first list before it sends a STALE
	// checkpoint: the 5 s of W1, minus time for the message to arrive.
	openTimeout = 4500 * time.Millisecond
	// heartbeatLead is the divisor of the heartbeat interval by which a checkpoint is sent
	// early, so that it arrives within the interval (W13).
	heartbeatLead = 20
	// askAgain is how long after a log did not answer it is asked again.
	askAgain = 500 * time.Millisecond
)

// Subscription is one client's stream. Only one goroutine may use it.
//
// Its fields are in the order of their use: those that each message needs come first, so that they
// share few cache lines. Those of a thousand subscriptions are in no cache.
type Subscription struct {
	feed *feed.Feed
	view *view
	// woken receives when the view shows a change, when the timer expires and when ctx ends.
	woken chan struct{}
	// receiver puts a signal into woken when the view shows a change; nil before Next is called.
	receiver *receiver
	ctx      context.Context //nolint:containedctx // Next gets the same one again and again.
	// timerAt is when the timer expires, or has expired; zero if it was not set. The timer is set again
	// only for another time, and not for each message.
	timerAt time.Time

	// opened reports that a snapshot was sent or the resume accepted. From then on the
	// client is at cursor, and counts are those of its roster.
	opened bool
	ended  bool
	// sentBehind reports that the last message was a checkpoint behind the head. The next
	// message is then a batch, even if a slow client makes the next checkpoint overdue.
	sentBehind bool
	// reportedStale and reportedReason are the freshness last reported to the client.
	// checkpointDue reports that a checkpoint follows although neither has changed.
	reportedStale bool
	checkpointDue bool
	// asked reports that the log was asked for the token's position, and askAt when to ask
	// again if it did not answer.
	asked  bool
	cursor feed.Position
	counts Counts
	// reached is cursor for others.
	reached reached
	// checkpointAt is when the next checkpoint is due, whatever else is sent.
	checkpointAt time.Time

	heartbeat      time.Duration
	reportedReason apierror.Reason
	askAt          time.Time
	openDeadline   time.Time
	// initialToken is the client's resume token, and resume its content.
	initialToken string
	resume       *token
	// stream is the number of the client's stream.
	stream uint64
	timer  *time.Timer
	// leave ends the wait for the end of ctx.
	leave   func() bool
	release func()
}

// Next waits for the next message and returns it. It returns io.EOF after the end of the
// conference, the upstream's refusal if that ends the stream, and the cause if ctx ends.
func (s *Subscription) Next(ctx context.Context) (*Message, error) {
	if s.receiver == nil {
		s.receiver = s.view.broadcast.add(s.view, s.wake)
	}
	for {
		state, now := s.askLog(ctx, s.feed.State()), time.Now()
		message, err := s.due(state, now)
		if message != nil || err != nil {
			return message, err
		}
		if err := s.wait(ctx, now); err != nil {
			return nil, err
		}
	}
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.stopWaiting()
	s.release()
}

// stopWaiting frees what wait uses.
func (s *Subscription) stopWaiting() {
	s.leaveContext()
	if s.receiver != nil {
		s.receiver.remove()
		s.receiver = nil
	}
	if s.timer != nil {
		s.timer.Stop()
		s.timer, s.timerAt = nil, time.Time{}
	}
}

// wait waits for a change, for a message that is due without one, or for the end of ctx. One channel
// is for all, since each costs something for each message. now is when none was due.
func (s *Subscription) wait(ctx context.Context, now time.Time) error {
	if ctx.Err() != nil {
		s.leaveContext()
		return context.Cause(ctx)
	}
	s.setContext(ctx)
	s.setTimer(s.wakeAt(), now)
	<-s.woken
	return nil
}

// setContext wakes the subscription when ctx ends.
func (s *Subscription) setContext(ctx context.Context) {
	if ctx != s.ctx {
		s.leaveContext()
		s.ctx, s.leave = ctx, context.AfterFunc(ctx, s.wake)
	}
}

func (s *Subscription) leaveContext() {
	if s.leave != nil {
		s.leave()
	}
	s.ctx, s.leave = nil, nil
}

// setTimer has the subscription woken at a time. The timer is still set if it was to expire after now.
func (s *Subscription) setTimer(at, now time.Time) {
	switch {
	case at.Equal(s.timerAt) && at.After(now):
		return
	case s.timer == nil:
		s.timer = time.AfterFunc(time.Until(at), s.wake)
	default:
		s.timer.Reset(time.Until(at))
	}
	s.timerAt = at
}

// wake may be called by any goroutine.
func (s *Subscription) wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// wakeAt returns when a message is due even if the feed does not change, or the log is to be
// asked again.
func (s *Subscription) wakeAt() time.Time {
	at := s.messageAt()
	if !s.opened && !s.asked && !s.askAt.IsZero() && s.askAt.Before(at) {
		return s.askAt
	}
	return at
}

// messageAt returns when a message is due even if the feed does not change.
func (s *Subscription) messageAt() time.Time {
	if !s.opened && !s.reportedStale && s.openDeadline.Before(s.checkpointAt) {
		return s.openDeadline
	}
	return s.checkpointAt
}

// due returns the message that is due now, if any.
func (s *Subscription) due(state *feed.State, now time.Time) (*Message, error) {
	before := s.cursor
	switch {
	case s.ended:
		return nil, io.EOF
	case s.opened:
		message, err := s.follow(state, now)
		s.moved(before)
		return message, err
	case state.Known && !s.mustAsk(state):
		message, err := s.open(state, now)
		s.moved(before)
		return message, err
	case state.End != nil:
		return nil, state.End.Err
	default:
		return s.beforeFirstList(state, now), nil
	}
}

// moved publishes the cursor if it has moved.
func (s *Subscription) moved(from feed.Position) {
	if s.cursor != from {
		s.reached.move(from, s.cursor)
	}
}

// beforeFirstList returns the STALE checkpoint of a feed without a list, or without a log to
// judge the client's token by, if it is due (W1).
func (s *Subscription) beforeFirstList(state *feed.State, now time.Time) *Message {
	if now.Before(s.messageAt()) {
		return nil
	}
	checkpoint := newCheckpoint(state, nil)
	if !checkpoint.Stale {
		checkpoint.Stale, checkpoint.StaleReason = true, apierror.SharedStateUnavailable
	}
	s.reportedStale, s.reportedReason = true, checkpoint.StaleReason
	s.checkpointAt = now.Add(s.heartbeat)
	return &Message{Token: s.initialToken, Checkpoint: checkpoint}
}

// mustAsk reports whether the log may contain the client's position although the state does not:
// the state may lag behind other processes. Then the log must be asked (R8).
func (s *Subscription) mustAsk(state *feed.State) bool {
	if s.asked || s.opened || s.resume == nil || s.resume.conference != s.feed.Key().Conference || state.End != nil {
		return false
	}
	p := s.resume.position
	return p.Epoch != state.Position.Epoch || p.Seq > state.Position.Seq
}

// askDue reports whether the log must be asked now.
func (s *Subscription) askDue(state *feed.State) bool {
	return state.Known && s.mustAsk(state) && !time.Now().Before(s.askAt)
}

// askLog asks the log before a client's token is judged, at most every askAgain. It returns the
// state after that.
func (s *Subscription) askLog(ctx context.Context, state *feed.State) *feed.State {
	if !s.askDue(state) {
		return state
	}
	s.asked = s.feed.CatchUp(ctx)
	s.askAt = time.Now().Add(askAgain)
	return s.feed.State()
}

// open opens the stream on a known feed: with the missed entries if the client can resume,
// otherwise with a snapshot (W1, W4).
func (s *Subscription) open(state *feed.State, now time.Time) (*Message, error) {
	missed, reason := s.missed(state)
	if reason != 0 {
		snapshot := s.snapshot(state, reason)
		// A STALE checkpoint sent before the snapshot does not replace this one.
		s.checkpointDue = state.Stale
		return snapshot, nil
	}
	s.opened, s.checkpointDue = true, true
	s.cursor = s.resume.position
	s.counts = Counts{Total: state.Total, Active: state.Active, Visible: s.view.count(state)}
	for i := range missed {
		s.counts.Visible -= s.view.visibleDelta(&missed[i])
		total, active := totalsDelta(&missed[i])
		s.counts.Total, s.counts.Active = s.counts.Total-total, s.counts.Active-active
	}
	return s.follow(state, now)
}

// totalsDelta returns by how much an entry changes the totals of the conference.
func totalsDelta(entry *feed.Entry) (total, active int) {
	count := func(p *participant.Participant, sign int) {
		if p == nil {
			return
		}
		total += sign
		if p.Status.Active() {
			active += sign
		}
	}
	for _, change := range entry.Changes {
		count(change.Before, -1)
		count(change.After, +1)
	}
	return total, active
}

// missed returns the entries that a resuming client has missed, or the reason why it needs
// a snapshot.
func (s *Subscription) missed(state *feed.State) ([]feed.Entry, SnapshotReason) {
	if s.resume == nil {
		return nil, Initial
	}
	missed, kept := state.After(s.resume.position)
	switch {
	case !kept || s.resume.conference != s.feed.Key().Conference:
		return nil, ResumeExpired
	case s.resume.filter != s.view.hash:
		return nil, FilterChanged
	default:
		return missed, 0
	}
}

func (s *Subscription) snapshot(state *feed.State, reason SnapshotReason) *Message {
	s.opened, s.checkpointDue = true, false
	s.cursor = state.Position
	s.counts = Counts{Total: state.Total, Active: state.Active, Visible: s.view.count(state)}
	return s.view.snapshot(state, reason)
}

// follow returns the next message of an opened stream. In this order: a heartbeat that is
// due, the entries after the cursor, a change of freshness, the end.
func (s *Subscription) follow(state *feed.State, now time.Time) (*Message, error) {
	entries, kept := s.entries(state)
	if (!kept || len(entries) > 0) && !now.Before(s.checkpointAt) && !s.sentBehind {
		return s.checkpointBehind(state, now), nil
	}
	s.sentBehind = false
	switch {
	case s.cursor.Epoch != state.Position.Epoch: // The feed goes on in another log (R8).
		return s.snapshot(state, ResumeExpired), nil
	case !kept:
		return s.snapshot(state, Lagged), nil
	}
	if message := s.advance(state, entries); message != nil {
		// Missed changes replace a FRESH checkpoint, but not a STALE one.
		s.checkpointDue = s.checkpointDue && state.Stale
		return message, nil
	}
	if s.checkpointDue || state.Stale != s.reportedStale || !now.Before(s.checkpointAt) {
		return s.checkpointAtHead(state, now), nil
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

// entries returns the entries of a state after the cursor, and whether the log contains them all. First
// it moves the cursor past those that the filter hides: nothing has woken the subscription for them.
func (s *Subscription) entries(state *feed.State) ([]feed.Entry, bool) {
	entries, kept := state.After(s.cursor)
	switch {
	case kept && len(entries) == 1 && s.view.entry(state, &entries[0]).message == nil:
		s.advance(state, entries)
		return nil, true
	case kept && len(entries) <= 1: // No lock is needed.
		return entries, kept
	}
	hidden := s.view.broadcast.hiddenAfter(s.view, s.cursor)
	switch {
	case hidden == 0:
		return entries, kept
	case hidden >= state.Position.Seq:
		s.cursor, s.counts.Total, s.counts.Active = state.Position, state.Total, state.Active
		return nil, true
	}
	to := feed.Position{Epoch: s.cursor.Epoch, Seq: hidden}
	shown, shownKept := state.After(to)
	if !shownKept || len(shown) == 0 {
		return entries, kept
	}
	total, active := totalsDelta(&shown[0])
	s.cursor, s.counts.Total, s.counts.Active = to, shown[0].Total-total, shown[0].Active-active
	return shown, true
}

// advance moves the cursor to the first of the entries that the filter shows, and returns
// its message. If the filter hides them all, it moves the cursor past the last.
func (s *Subscription) advance(state *feed.State, entries []feed.Entry) *Message {
	for i := range entries {
		entry := &entries[i]
		rendered := s.view.entry(state, entry)
		s.cursor.Seq = entry.Seq
		s.counts.Total, s.counts.Active = entry.Total, entry.Active
		s.counts.Visible += rendered.delta
		if rendered.message != nil {
			return rendered.message
		}
	}
	return nil
}

// checkpointAtHead returns the checkpoint of a client that has received everything.
func (s *Subscription) checkpointAtHead(state *feed.State, now time.Time) *Message {
	s.reportedStale, s.reportedReason, s.checkpointDue = state.Stale, state.StaleReason, false
	s.cursor = state.Position
	s.checkpointAt = now.Add(s.heartbeat)
	return s.view.checkpoint(state)
}

// checkpointBehind returns the heartbeat of a client that reads too slowly to reach the
// head. It has the client's own position and counts, and the freshness last reported: a
// change of freshness follows the changes that came before it. It replaces a checkpoint that
// is due since the opening.
func (s *Subscription) checkpointBehind(state *feed.State, now time.Time) *Message {
	s.checkpointAt, s.sentBehind = now.Add(s.heartbeat), true
	if s.checkpointDue && (state.Stale || !s.reportedStale) {
		s.reportedStale, s.reportedReason, s.checkpointDue = state.Stale, state.StaleReason, false
	}
	counts := s.counts
	checkpoint := newCheckpoint(state, &counts)
	checkpoint.Stale, checkpoint.StaleReason = s.reportedStale, s.reportedReason
	return &Message{Token: s.view.token(s.cursor), Checkpoint: checkpoint}
}
