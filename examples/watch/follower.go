package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// follower keeps the roster of a conference and the position of its stream. It is not
// safe for concurrent use.
type follower struct {
	service    v2.ParticipantServiceClient
	conference string

	// token is the position of the last message, and roster the participants at that
	// position. A client that stores one must store both.
	token  string
	roster map[string]*v2.Participant
	// onMessage is called after each message was applied.
	onMessage func(*v2.WatchParticipantsResponse)
}

func newFollower(service v2.ParticipantServiceClient, conference string) *follower {
	return &follower{
		service: service, conference: conference,
		roster:    map[string]*v2.Participant{},
		onMessage: func(*v2.WatchParticipantsResponse) {},
	}
}

// follow watches until the conference ends (it returns nil), ctx ends, or the service
// returns an error that another call cannot change.
func (f *follower) follow(ctx context.Context) error {
	for failures := 0; ; failures++ {
		before := f.token
		err := f.stream(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if f.token != before {
			failures = 0
		}
		if !mayCallAgain(err) {
			return err
		}
		if !sleep(ctx, delay(err, failures)) {
			return context.Cause(ctx)
		}
	}
}

// silenceTimeout is three heartbeats of 15 s, the default interval. Without a message
// for so long the connection is broken, even if the operating system reports no error.
const silenceTimeout = 45 * time.Second

// stream makes one call, which resumes at the last position.
func (f *follower) stream(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	silence := time.AfterFunc(silenceTimeout, cancel)
	defer silence.Stop()

	stream, err := f.service.WatchParticipants(ctx, &v2.WatchParticipantsRequest{
		ConferenceId: f.conference, ResumeToken: f.token,
	})
	if err != nil {
		return fmt.Errorf("watch %s: %w", f.conference, err)
	}
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("watch %s: %w", f.conference, err)
		}
		silence.Reset(silenceTimeout)
		f.apply(message)
	}
}

// apply updates the roster with one message. It sets the token last, so that the token
// is never ahead of the roster.
func (f *follower) apply(message *v2.WatchParticipantsResponse) {
	if snapshot := message.GetSnapshot(); snapshot != nil {
		clear(f.roster)
		for _, p := range snapshot.GetParticipants() {
			f.roster[p.GetId()] = p
		}
	}
	for _, change := range message.GetChanges().GetChanges() {
		f.applyChange(change)
	}
	f.token = message.GetResumeToken()
	f.onMessage(message)
}

func (f *follower) applyChange(change *v2.ParticipantChange) {
	id := change.GetParticipant().GetId()
	switch change.GetKind() {
	case v2.ChangeKind_CHANGE_KIND_REMOVED, v2.ChangeKind_CHANGE_KIND_LEFT_FILTER:
		delete(f.roster, id)
	default:
		f.roster[id] = change.GetParticipant()
	}
}
