package replicahistories_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/wire"
	"github.com/audian/participant-gateway/test/watchmodel"
)

// client is one watcher, with one stream at a time. world.mu guards it.
type client struct {
	world *world
	name  string
	// many reports that it watches through a stream of many conferences (A16).
	many    bool
	request *v2.WatchParticipantsRequest
	filter  participant.Filter

	held watchmodel.Roster
	// token is the last resume token, and at its position. tokenVersion is that of the log.
	token        string
	at           feed.Position
	tokenVersion int
	tokenReplica *replica
	stream       *stream
}

// stream is a gRPC stream without a connection.
type stream struct {
	grpc.ServerStream

	client  *client
	replica *replica
	ctx     context.Context
	stop    context.CancelFunc
	ended   chan struct{}
	err     error

	initialToken string
	opened, last time.Time
	messages     int
	// hasState is true after a snapshot, or after the resume was accepted. resumed reports that
	// only changes and checkpoints followed the token so far.
	hasState, resumed bool
	stale             bool
	reason            string
}

const heartbeat = 5 * time.Second

// caller returns the context of one call.
func caller(name string) context.Context {
	ctx := requestctx.WithRequestID(context.Background(), name)
	return access.NewContext(ctx, access.Caller{Name: "model", SeesNumbers: true, Grant: access.NewGrant(access.AllRights())})
}

// open opens a stream at a replica, with the client's last token unless it forgets that.
func (c *client) open(r *replica, forget bool) {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	if forget {
		c.token, c.at = "", feed.Position{}
		clear(c.held)
	}
	ctx, stop := context.WithCancel(caller("watch"))
	request := proto.CloneOf(c.request)
	request.ConferenceId, request.ResumeToken, request.HeartbeatInterval = conference, c.token, durationpb.New(heartbeat)
	s := &stream{
		client: c, replica: r, ctx: ctx, stop: stop, ended: make(chan struct{}),
		initialToken: c.token, opened: time.Now(), last: time.Now(),
	}
	c.stream = s
	c.world.eventf("%s opens a stream at %s from %s", c.name, r.name, describe(c.at))
	go func() {
		defer close(s.ended)
		s.err = s.watch(request)
		c.world.fail(c.name, s.checkEnd())
	}()
}

// watch opens the stream as the one of a conference, or as one of many.
func (s *stream) watch(request *v2.WatchParticipantsRequest) error {
	if !s.client.many {
		return s.replica.WatchParticipants(request, &grpc.GenericServerStream[
			v2.WatchParticipantsRequest, v2.WatchParticipantsResponse,
		]{ServerStream: s})
	}
	s.client.world.seen.add(watchedMany)
	return s.replica.WatchConferences(&v2.WatchConferencesRequest{
		Watches:  []*v2.ConferencePosition{{ConferenceId: request.GetConferenceId(), ResumeToken: request.GetResumeToken()}},
		Statuses: request.GetStatuses(), Roles: request.GetRoles(), HeartbeatInterval: request.GetHeartbeatInterval(),
	}, &grpc.GenericServerStream[v2.WatchConferencesRequest, v2.WatchConferencesResponse]{ServerStream: s})
}

// close closes the stream.
func (c *client) close() {
	c.world.mu.Lock()
	s := c.stream
	c.stream = nil
	c.world.mu.Unlock()
	if s != nil {
		s.stop()
		<-s.ended
	}
}

func (s *stream) Context() context.Context { return s.ctx }

func (s *stream) SetHeader(metadata.MD) error { return nil }

// SendMsg checks a message at once.
func (s *stream) SendMsg(sent any) error {
	if err := s.replica.gate.pass(); err != nil {
		return err
	}
	w := s.client.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.ctx.Err() != nil {
		return s.ctx.Err() // Nobody receives it.
	}
	w.take(s.replica)
	message := sent.(*wire.Message)
	if refusal := message.Refusal(); refusal != nil {
		return refusal.Err()
	}
	m := message.Response()
	w.eventf("%s from %s: %s", s.client.name, s.replica.name, summary(m))
	if err := s.receive(m); err != nil {
		w.failLocked(s.client.name+" of "+s.replica.name, fmt.Errorf("%w: message %s", err, m))
	}
	return nil
}

// checkEnd fails if the stream ended although the client did not leave and the replica serves.
func (s *stream) checkEnd() error {
	if s.ctx.Err() == nil && !s.replica.gate.isKilled() {
		return errors.Join(errors.New("the stream ended"), s.err)
	}
	return nil
}

// silence fails if the stream has been silent for too long (W1, W13). world.mu is held.
func (s *stream) silence() error {
	if s.replica.gate.stopped() {
		s.last = time.Now()
		return nil
	}
	if silent := time.Since(s.last); silent > heartbeat+slack {
		return fmt.Errorf("W13: silent for %s, after %d messages", silent, s.messages)
	}
	return nil
}
