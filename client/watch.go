package client

import (
	"context"
	"iter"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// WatchOption is an option of [Client.Watch].
type WatchOption func(*watchSettings)

type watchSettings struct {
	request   *v2.WatchParticipantsRequest
	heartbeat time.Duration
	from      State
}

// Statuses selects participants with one of these statuses. Default: all.
func Statuses(statuses ...v2.ParticipantStatus) WatchOption {
	return func(s *watchSettings) { s.request.Statuses = statuses }
}

// Roles selects participants with one of these roles. Default: all.
func Roles(roles ...v2.ParticipantRole) WatchOption {
	return func(s *watchSettings) { s.request.Roles = roles }
}

// ParticipantIDs selects participants with one of these ids, which need not exist yet.
// Default: all.
func ParticipantIDs(ids ...string) WatchOption {
	return func(s *watchSettings) { s.request.ParticipantIds = ids }
}

const (
	defaultHeartbeat  = 15 * time.Second
	shortestHeartbeat = 5 * time.Second
)

// Heartbeat is the longest time between two messages of the gateway: 5 s to 60 s. A
// connection without a message for twice this time is replaced. Default: 15 s.
func Heartbeat(interval time.Duration) WatchOption {
	return func(s *watchSettings) { s.heartbeat = interval }
}

// ResumeFrom begins with the roster of an earlier state of the same conference and
// continues after it. Only Token and Roster of the state are needed, so that a program can
// store these two together. If the gateway no longer has the changes after it, or the filters
// differ, the first state is a snapshot.
func ResumeFrom(state State) WatchOption {
	return func(s *watchSettings) { s.from = state }
}

// Watch returns the states of a conference: first a snapshot (or, with [ResumeFrom], what
// changed since, or a state of [KindFreshness] if nothing did), then each batch of changes,
// each change of the freshness, and the end.
//
// When a stream breaks, Watch gives one state of [KindDisconnected], waits, and calls again
// with the last position, so that no change is lost or repeated. It waits 0.25 s, doubled with
// each failure up to 10 s, but at least as long as the gateway asks for; and up to a quarter
// longer, by chance. A connection that is silent for two heartbeats is replaced by a new one.
//
// The iteration ends after the state of [KindEnd], and without an error when ctx ends or the
// client is closed: a loop that needs to know looks at ctx.Err. It ends with an error when
// another call cannot help: INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED, UNAUTHENTICATED,
// FAILED_PRECONDITION, UNIMPLEMENTED, OUT_OF_RANGE or ALREADY_EXISTS. The exception is
// UNAUTHENTICATED on a stream that had got a message, with [WithCredential]: Watch calls once
// more with the next credential.
//
// Watch reads the next message when the loop asks for the next state. A slow loop loses
// nothing: the gateway keeps the changes, or sends a new snapshot. Each iteration is a watch
// of its own.
func (c *Client) Watch(ctx context.Context, conference string, options ...WatchOption) iter.Seq2[State, error] {
	s := watchSettings{request: &v2.WatchParticipantsRequest{ConferenceId: conference}, heartbeat: defaultHeartbeat}
	for _, option := range options {
		option(&s)
	}
	s.request.HeartbeatInterval = durationpb.New(s.heartbeat)
	return func(yield func(State, error) bool) {
		ctx, cancel := c.untilClosed(ctx)
		defer cancel()
		w := newWatcher(proto.CloneOf(s.request), s.from)
		w.silence = 2 * max(s.heartbeat, shortestHeartbeat)
		w.give = func(state State) bool { return yield(state, nil) }
		w.retries.renewable = c.renewable
		if err := w.run(ctx, c.link); err != nil {
			yield(State{}, err)
		}
	}
}
