package terminal

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// Run removes the participants.
func (c *removeCommand) Run(ctx context.Context, s *session) error {
	return c.each("remove", func(id string) error {
		_, err := s.client.Service().RemoveParticipant(ctx, &v2.RemoveParticipantRequest{ConferenceId: c.Conference, ParticipantId: id})
		return err
	})
}

// Run mutes the participants.
func (c *muteCommand) Run(ctx context.Context, s *session) error {
	return c.each("mute", func(id string) error {
		return control(ctx, s.client.Service().MuteParticipant,
			&v2.MuteParticipantRequest{ConferenceId: c.Conference, ParticipantId: id})
	})
}

// Run ends the muting of the participants.
func (c *unmuteCommand) Run(ctx context.Context, s *session) error {
	return c.each("unmute", func(id string) error {
		return control(ctx, s.client.Service().UnmuteParticipant,
			&v2.UnmuteParticipantRequest{ConferenceId: c.Conference, ParticipantId: id})
	})
}

// Run puts the participants on hold.
func (c *holdCommand) Run(ctx context.Context, s *session) error {
	return c.each("hold", func(id string) error {
		return control(ctx, s.client.Service().HoldParticipant,
			&v2.HoldParticipantRequest{ConferenceId: c.Conference, ParticipantId: id})
	})
}

// Run ends the hold of the participants.
func (c *resumeCommand) Run(ctx context.Context, s *session) error {
	return c.each("resume", func(id string) error {
		return control(ctx, s.client.Service().ResumeParticipant,
			&v2.ResumeParticipantRequest{ConferenceId: c.Conference, ParticipantId: id})
	})
}

// Run ends the calls of the participants.
func (c *disconnectCommand) Run(ctx context.Context, s *session) error {
	return c.each("disconnect", func(id string) error {
		return control(ctx, s.client.Service().DisconnectParticipant,
			&v2.DisconnectParticipantRequest{ConferenceId: c.Conference, ParticipantId: id})
	})
}

// Run mutes all participants of a conference.
func (c *muteAllCommand) Run(ctx context.Context, s *session) error {
	if _, err := s.client.Service().MuteAllParticipants(ctx, &v2.MuteAllParticipantsRequest{ConferenceId: c.Conference}); err != nil {
		return fmt.Errorf("mute-all: %w", describe(err))
	}
	return nil
}

// control makes a call of the service for one participant.
func control[Request, Response any](
	ctx context.Context, call func(context.Context, *Request, ...grpc.CallOption) (*Response, error), request *Request,
) error {
	_, err := call(ctx, request)
	return err
}

// each makes a call for each participant, also after one has failed.
func (p participants) each(name string, call func(id string) error) error {
	var failures []error
	for _, id := range p.Participants {
		if err := call(id); err != nil {
			failures = append(failures, fmt.Errorf("%s %s: %w", name, clean(id), describe(err)))
		}
	}
	return errors.Join(failures...)
}
