package histories_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/wire"
	"github.com/audian/participant-gateway/test/watchmodel"
)

// client is one watcher with all its streams. It applies the messages that it receives, and
// keeps its roster after each message for the checks.
type client struct {
	harness *harness
	// conference is empty for the main conference.
	conference string
	request    *v2.WatchParticipantsRequest
	filter     participant.Filter

	held watchmodel.Roster
	// token is the last resume token. It belongs to the filter of tokenFor.
	token    string
	tokenFor *v2.WatchParticipantsRequest
	// stream is the open stream, or nil.
	stream *stream
	// notReadingUntil is when the client reads again, in Unix nanoseconds.
	notReadingUntil atomic.Int64
	received        []message
}

// notReadingFor returns how long the client still reads nothing.
func (c *client) notReadingFor() time.Duration {
	return time.Until(time.Unix(0, c.notReadingUntil.Load()))
}

// stopReading makes the client read nothing for d, or read again if d is 0. A shorter d does
// not end a longer one: a send that waits for that continues to wait.
func (c *client) stopReading(d time.Duration) {
	if d == 0 || d > c.notReadingFor() {
		c.notReadingUntil.Store(time.Now().Add(d).UnixNano())
	}
}

// message is one message, and the client's roster after it.
type message struct {
	*v2.WatchParticipantsResponse

	held watchmodel.Roster
}

// stream is a gRPC stream without a connection.
type stream struct {
	grpc.ServerStream

	client *client
	ctx    context.Context
	stop   context.CancelFunc
	// ended is closed once the service has returned err.
	ended chan struct{}
	err   error

	heartbeat time.Duration
	opened    time.Time
	// replays is true if the log still has the token's position: then no snapshot may
	// follow.
	replays      bool
	initialToken string
	// hasState is true after a snapshot, or after the resume was accepted.
	hasState bool
	// opensStale is true if the first snapshot followed a STALE checkpoint: another follows
	// if the roster is still stale.
	opensStale bool
	messages   int
	stale      bool
	// sent is when the message was sent, beat when the last checkpoint was.
	sent, beat time.Time
	// blocked is true if the message waited for the client, delayed if any message has
	// waited since the last checkpoint that did not wait.
	blocked, delayed bool
}

func (s *stream) Context() context.Context { return s.ctx }

func (s *stream) SetHeader(metadata.MD) error { return nil }

// SendMsg blocks while the client does not read, like a full flow-control window, until the
// call ends.
func (s *stream) SendMsg(sent any) error {
	s.sent = time.Now()
	wait := s.client.notReadingFor()
	if s.blocked = wait > 0; s.blocked {
		s.delayed = true
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-s.ended:
			return errors.New("the call has ended")
		}
	}
	s.client.harness.note()
	s.client.harness.fail("client", s.receive(sent.(*wire.Message).Response()))
	return nil
}

// open opens a stream, with a resume token if it is not empty.
func (c *client) open(token string) {
	ctx, stop := context.WithCancel(caller("watch"))
	request := proto.CloneOf(c.request)
	request.ConferenceId, request.ResumeToken = cmp.Or(c.conference, conference), token
	s := &stream{
		client: c, ctx: ctx, stop: stop, ended: make(chan struct{}), heartbeat: 15 * time.Second,
		opened: time.Now(), beat: time.Now(), initialToken: token, replays: c.replays(token),
	}
	if len(c.request.GetRoles()) > 0 {
		s.heartbeat = 5 * time.Second
		request.HeartbeatInterval = durationpb.New(s.heartbeat)
	}
	c.stream = s
	go func() {
		defer close(s.ended)
		s.err = c.harness.gateway.WatchParticipants(request, &grpc.GenericServerStream[
			v2.WatchParticipantsRequest, v2.WatchParticipantsResponse,
		]{ServerStream: s})
	}()
}

// replays reports whether the log has all entries after the token, and the token is for the
// client's filter. A short log may lose entries before the stream is open: then it is false.
func (c *client) replays(token string) bool {
	state := c.harness.gateway.state()
	at, err := watchmodel.PositionOf(token)
	if err != nil || !known(state) || c.harness.history.HistoryLimit < 100 || c.tokenFor != c.request {
		return false
	}
	_, kept := state.After(at)
	return kept
}

// close closes the stream.
func (c *client) close() {
	if c.stream == nil {
		return
	}
	c.stream.stop()
	<-c.stream.ended
	synctest.Wait()
	c.stream = nil
}

// receive applies one message, strictly.
func (s *stream) receive(m *v2.WatchParticipantsResponse) error {
	c := s.client
	s.messages++
	var err error
	switch event := m.GetEvent().(type) {
	case *v2.WatchParticipantsResponse_Snapshot:
		err = s.snapshot(event.Snapshot)
	case *v2.WatchParticipantsResponse_Changes:
		s.markState()
		err = c.changes(event.Changes)
	case *v2.WatchParticipantsResponse_Checkpoint:
		err = s.checkpoint(event.Checkpoint, m.GetResumeToken())
	}
	c.token = m.GetResumeToken()
	if s.hasState {
		c.tokenFor = c.request
		c.received = append(c.received, message{m, maps.Clone(c.held)})
	} else if m.GetResumeToken() != s.initialToken {
		err = errors.Join(err, fmt.Errorf("a new resume token before the first state: %s", m))
	}
	if err != nil {
		return fmt.Errorf("%w: message %s", err, m)
	}
	return nil
}

// markState records that the stream continues from the client's token.
func (s *stream) markState() {
	if !s.hasState {
		s.hasState = true
		s.client.harness.seen.add(resumed)
	}
}

func (s *stream) snapshot(snapshot *v2.ParticipantSnapshot) error {
	if s.replays && !s.hasState {
		return errors.New("W4: a snapshot although the log has all entries after the token")
	}
	reason := snapshot.GetReason()
	s.client.harness.seen.add(snapshots[reason])
	if (reason == v2.SnapshotReason_SNAPSHOT_REASON_INITIAL) != (s.initialToken == "" && !s.hasState) {
		return errors.New("W4: wrong reason for a snapshot")
	}
	s.opensStale, s.hasState = !s.hasState && s.stale, true
	s.client.held.Replace(snapshot)
	return nil
}

var snapshots = map[v2.SnapshotReason]string{
	v2.SnapshotReason_SNAPSHOT_REASON_INITIAL:        snapInitial,
	v2.SnapshotReason_SNAPSHOT_REASON_RESUME_EXPIRED: snapExpired,
	v2.SnapshotReason_SNAPSHOT_REASON_FILTER_CHANGED: snapFilterChanged,
	v2.SnapshotReason_SNAPSHOT_REASON_LAGGED:         snapLagged,
}

func (s *stream) checkpoint(checkpoint *v2.Checkpoint, token string) error {
	defer func() { s.beat, s.delayed = s.sent, s.blocked }()
	withoutState := !s.hasState && checkpoint.Total == nil
	if !withoutState {
		s.markState()
	}
	stale := checkpoint.GetFreshness() == v2.Freshness_FRESHNESS_STALE
	flipped := stale != s.stale
	opensStale := s.opensStale && stale
	heartbeat := s.sent.Sub(s.beat) >= s.heartbeat*9/10
	s.stale, s.opensStale = stale, false
	switch {
	case withoutState && (!stale || token != s.initialToken):
		return errors.New("W1: before the first state, only a STALE checkpoint with the initial token is allowed")
	case s.messages == 1 && withoutState:
		s.client.harness.seen.add(openedStale)
	case flipped && stale:
		s.client.harness.seen.add(turnedStale)
	case flipped:
		s.client.harness.seen.add(turnedFresh)
	case opensStale: // W1: the first roster is stale, like the checkpoint before it.
	case s.messages > 1 && !s.delayed && !heartbeat:
		return fmt.Errorf("W10: a checkpoint without a change or heartbeat after %s", s.sent.Sub(s.beat))
	}
	if late := s.sent.Sub(s.beat); late > s.heartbeat && !s.delayed {
		return fmt.Errorf("W13: a checkpoint after %s", late)
	}
	return nil
}

func (c *client) changes(changes *v2.ParticipantChanges) error {
	if len(changes.GetChanges()) == 0 {
		return errors.New("no changes")
	}
	for _, change := range changes.GetChanges() {
		if err := c.change(change); err != nil {
			return fmt.Errorf("change of %s: %w", change.GetParticipant().GetId(), err)
		}
	}
	return nil
}
