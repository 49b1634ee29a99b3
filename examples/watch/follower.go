package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// follower holds a conference's participants and where its stream got to. It belongs
// to one goroutine.
type follower struct {
	service    v2.ParticipantServiceClient
	conference string

	// token is the position of the last message, and roster what was told up to it:
	// whoever stores one stores both.
	token  string
	roster map[string]*v2.Participant
	// told is called after each message was applied.
	told func(*v2.WatchParticipantsResponse)
}

func newFollower(service v2.ParticipantServiceClient, conference string) *follower {
	return &follower{
		service: service, conference: conference,
		roster: map[string]*v2.Participant{},
		told:   func(*v2.WatchParticipantsResponse) {},
	}
}

// follow watches until the conference is gone (nil), ctx ends, or the service
// answers what calling again cannot mend.
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

// tooSilent is three heartbeats of 15 s, the default interval: after as long without
// a message the connection is dead, whatever the operating system believes.
const tooSilent = 45 * time.Second

// stream makes one call, from the last position on.
func (f *follower) stream(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	silence := time.AfterFunc(tooSilent, cancel)
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
		silence.Reset(tooSilent)
		f.apply(message)
	}
}

// apply takes one message in. The position moves on only once what it tells is held.
func (f *follower) apply(message *v2.WatchParticipantsResponse) {
	if snapshot := message.GetSnapshot(); snapshot != nil {
		clear(f.roster)
		for _, p := range snapshot.GetParticipants() {
			f.roster[p.GetId()] = p
		}
	}
	for _, change := range message.GetChanges().GetChanges() {
		f.change(change)
	}
	f.token = message.GetResumeToken()
	f.told(message)
}

func (f *follower) change(change *v2.ParticipantChange) {
	id := change.GetParticipant().GetId()
	switch change.GetKind() {
	case v2.ChangeKind_CHANGE_KIND_REMOVED, v2.ChangeKind_CHANGE_KIND_LEFT_FILTER:
		delete(f.roster, id)
	default:
		f.roster[id] = change.GetParticipant()
	}
}
