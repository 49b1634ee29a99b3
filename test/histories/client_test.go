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
)

// client is one watcher over all its streams. It applies what it is sent, and only
// that, and keeps what it held after each message for the world to check.
type client struct {
	world *world
	// conference is empty for the one that is played.
	conference string
	request    *v2.WatchParticipantsRequest
	filter     participant.Filter

	held map[string]*v2.Participant
	// token is the last that was given, under the filter of tokenFor.
	token    string
	tokenFor *v2.WatchParticipantsRequest
	// stream is the one that is open, nil where there is none.
	stream *stream
	// deafUntil is until when the client reads nothing, in Unix nanoseconds.
	deafUntil atomic.Int64
	told      []message
}

// deafFor is how much longer the client reads nothing.
func (c *client) deafFor() time.Duration { return time.Until(time.Unix(0, c.deafUntil.Load())) }

// deafen has the client read nothing for a while, or at 0 read again. A while does not
// cut a longer one short: a send that waits for that one goes on waiting.
func (c *client) deafen(d time.Duration) {
	if d == 0 || d > c.deafFor() {
		c.deafUntil.Store(time.Now().Add(d).UnixNano())
	}
}

// message is one message, and what the client holds since.
type message struct {
	*v2.WatchParticipantsResponse

	held map[string]*v2.Participant
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
	// replays says that the token is within the kept history, so that no snapshot may
	// come.
	replays bool
	came    string
	// based says that a snapshot was sent or the resume accepted.
	based bool
	// opensStale says that the first snapshot followed a STALE checkpoint: another follows
	// if the roster is stale still.
	opensStale bool
	messages   int
	stale      bool
	// sent is when the message was sent, beat when the last checkpoint was.
	sent, beat time.Time
	// blocked says that the message waited for the client, delayed that any has since
	// the last checkpoint that did not.
	blocked, delayed bool
}

func (s *stream) Context() context.Context { return s.ctx }

func (s *stream) SetHeader(metadata.MD) error { return nil }

// SendMsg blocks while the client is deaf, as a full window does, until the call ends.
func (s *stream) SendMsg(sent any) error {
	s.sent = time.Now()
	wait := s.client.deafFor()
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
	s.client.world.note()
	s.client.world.fail("client", s.receive(sent.(*wire.Message).Response()))
	return nil
}

// open opens a stream with a token, as a client that comes back does.
func (c *client) open(token string) {
	ctx, stop := context.WithCancel(context.Background())
	request := proto.CloneOf(c.request)
	request.ConferenceId, request.ResumeToken = cmp.Or(c.conference, conference), token
	s := &stream{
		client: c, ctx: ctx, stop: stop, ended: make(chan struct{}), heartbeat: 15 * time.Second,
		opened: time.Now(), beat: time.Now(), came: token, replays: c.replays(token),
	}
	if len(c.request.GetRoles()) > 0 {
		s.heartbeat = 5 * time.Second
		request.HeartbeatInterval = durationpb.New(s.heartbeat)
	}
	c.stream = s
	go func() {
		defer close(s.ended)
		s.err = c.world.gateway.WatchParticipants(request, &grpc.GenericServerStream[
			v2.WatchParticipantsRequest, v2.WatchParticipantsResponse,
		]{ServerStream: s})
	}()
}

// replays says whether the history holds all that was missed by a client that comes
// with a token and the filter it was given for. A short history may change until the
// stream is open.
func (c *client) replays(token string) bool {
	state := c.world.gateway.state()
	at, err := positionOf(token)
	if err != nil || !known(state) || c.world.history.Kept < 100 || c.tokenFor != c.request {
		return false
	}
	_, kept := state.After(at)
	return kept
}

// close hangs up.
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
		s.base()
		err = c.changes(event.Changes)
	case *v2.WatchParticipantsResponse_Checkpoint:
		err = s.checkpoint(event.Checkpoint, m.GetResumeToken())
	}
	c.token = m.GetResumeToken()
	if s.based {
		c.tokenFor = c.request
		c.told = append(c.told, message{m, maps.Clone(c.held)})
	} else if m.GetResumeToken() != s.came {
		err = errors.Join(err, fmt.Errorf("before any base a token of its own: %s", m))
	}
	if err != nil {
		return fmt.Errorf("%w: message %s", err, m)
	}
	return nil
}

// base notes that the stream goes on from where the client's token says.
func (s *stream) base() {
	if !s.based {
		s.based = true
		s.client.world.seen.add(resumed)
	}
}

func (s *stream) snapshot(snapshot *v2.ParticipantSnapshot) error {
	if s.replays && !s.based {
		return errors.New("W4: a snapshot although the history holds all that was missed")
	}
	reason := snapshot.GetReason()
	s.client.world.seen.add(snapshots[reason])
	if (reason == v2.SnapshotReason_SNAPSHOT_REASON_INITIAL) != (s.came == "" && !s.based) {
		return errors.New("W4: a snapshot for another reason")
	}
	s.opensStale, s.based = !s.based && s.stale, true
	clear(s.client.held)
	for _, p := range snapshot.GetParticipants() {
		s.client.held[p.GetId()] = p
	}
	return nil
}

var snapshots = map[v2.SnapshotReason]string{
	v2.SnapshotReason_SNAPSHOT_REASON_INITIAL:        snapInitial,
	v2.SnapshotReason_SNAPSHOT_REASON_RESUME_EXPIRED: snapExpired,
	v2.SnapshotReason_SNAPSHOT_REASON_FILTER_CHANGED: snapFiltered,
	v2.SnapshotReason_SNAPSHOT_REASON_LAGGED:         snapLagged,
}

func (s *stream) checkpoint(checkpoint *v2.Checkpoint, token string) error {
	defer func() { s.beat, s.delayed = s.sent, s.blocked }()
	unbased := !s.based && checkpoint.Total == nil
	if !unbased {
		s.base()
	}
	stale := checkpoint.GetFreshness() == v2.Freshness_FRESHNESS_STALE
	flipped := stale != s.stale
	opensStale := s.opensStale && stale
	heartbeat := s.sent.Sub(s.beat) >= s.heartbeat*9/10
	s.stale, s.opensStale = stale, false
	switch {
	case unbased && (!stale || token != s.came):
		return errors.New("W1: before any base only what no list could be read for")
	case s.messages == 1 && unbased:
		s.client.world.seen.add(openedStale)
	case flipped && stale:
		s.client.world.seen.add(turnedStale)
	case flipped:
		s.client.world.seen.add(turnedFresh)
	case opensStale: // W1: the first roster is stale, as what was reported before it.
	case s.messages > 1 && !s.delayed && !heartbeat:
		return fmt.Errorf("W10: no flip, and no heartbeat after %s", s.sent.Sub(s.beat))
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
