package main

import (
	"context"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// unary makes a call that has one answer, and prints it.
func (s *session) unary(ctx context.Context, c command) {
	connected := s.connection()
	var answer object
	var err error
	if call, known := calls[c.Call]; known {
		answer, err = call(ctx, connected.Service(), c)
	} else if c.Call == "list" {
		answer, err = connected.list(ctx, c)
	} else {
		answer = object{"unsupported": true}
	}
	if err != nil {
		s.out.fail(c.ID, connected.credentials.noticed(err))
		return
	}
	s.out.print(c.ID, answer)
}

// calls are the unary calls of the stub, by their names in commands.
var calls = map[string]func(context.Context, v2.ParticipantServiceClient, command) (object, error){
	"add": func(ctx context.Context, s v2.ParticipantServiceClient, c command) (object, error) {
		return participantOf(s.AddParticipant(ctx, &v2.AddParticipantRequest{
			ConferenceId: c.Conference, PhoneNumber: c.PhoneNumber, Name: c.Name, Role: role(c.Role), Muted: c.Muted,
			RequestId: c.RequestID, ValidateOnly: c.ValidateOnly, WaitForAnswer: c.WaitForAnswer,
		}))
	},
	"get": func(ctx context.Context, s v2.ParticipantServiceClient, c command) (object, error) {
		request := &v2.GetParticipantRequest{ConferenceId: c.Conference, ParticipantId: c.Participant}
		return participantOf(s.GetParticipant(ctx, request))
	},
	"mute": func(ctx context.Context, s v2.ParticipantServiceClient, c command) (object, error) {
		request := &v2.MuteParticipantRequest{ConferenceId: c.Conference, ParticipantId: c.Participant}
		return participantOf(s.MuteParticipant(ctx, request))
	},
	"unmute": func(ctx context.Context, s v2.ParticipantServiceClient, c command) (object, error) {
		request := &v2.UnmuteParticipantRequest{ConferenceId: c.Conference, ParticipantId: c.Participant}
		return participantOf(s.UnmuteParticipant(ctx, request))
	},
	"hold": func(ctx context.Context, s v2.ParticipantServiceClient, c command) (object, error) {
		request := &v2.HoldParticipantRequest{ConferenceId: c.Conference, ParticipantId: c.Participant}
		return participantOf(s.HoldParticipant(ctx, request))
	},
	"resume": func(ctx context.Context, s v2.ParticipantServiceClient, c command) (object, error) {
		request := &v2.ResumeParticipantRequest{ConferenceId: c.Conference, ParticipantId: c.Participant}
		return participantOf(s.ResumeParticipant(ctx, request))
	},
	"disconnect": func(ctx context.Context, s v2.ParticipantServiceClient, c command) (object, error) {
		request := &v2.DisconnectParticipantRequest{ConferenceId: c.Conference, ParticipantId: c.Participant}
		return participantOf(s.DisconnectParticipant(ctx, request))
	},
	"remove": func(ctx context.Context, s v2.ParticipantServiceClient, c command) (object, error) {
		request := &v2.RemoveParticipantRequest{ConferenceId: c.Conference, ParticipantId: c.Participant}
		return nothing(s.RemoveParticipant(ctx, request))
	},
	"mute_all": func(ctx context.Context, s v2.ParticipantServiceClient, c command) (object, error) {
		return nothing(s.MuteAllParticipants(ctx, &v2.MuteAllParticipantsRequest{ConferenceId: c.Conference}))
	},
	"refresh": func(ctx context.Context, s v2.ParticipantServiceClient, c command) (object, error) {
		return nothing(s.RefreshParticipants(ctx, &v2.RefreshParticipantsRequest{ConferenceId: c.Conference}))
	},
}

// participantOf is the line of a response with a participant, or without one.
func participantOf[R interface{ GetParticipant() *v2.Participant }](response R, err error) (object, error) {
	if err != nil || response.GetParticipant() == nil {
		return nothing(response, err)
	}
	return object{"participant": participantObject(response.GetParticipant())}, nil
}

// nothing is the line of an empty response.
func nothing[R any](_ R, err error) (object, error) {
	return object{"ok": true}, err
}

// list reads all pages.
func (c *connection) list(ctx context.Context, request command) (object, error) {
	participants, pages := []object{}, 0
	var last *v2.ListParticipantsResponse
	for page, err := range c.ListPages(ctx, &v2.ListParticipantsRequest{
		ConferenceId: request.Conference, Statuses: statuses(request.Statuses), Roles: roles(request.Roles), PageSize: request.PageSize,
	}) {
		if err != nil {
			return nil, err
		}
		last = page
		pages++
		for _, p := range page.GetParticipants() {
			participants = append(participants, participantObject(p))
		}
	}
	return object{"participants": participants, "pages": pages, "total": last.GetTotal(), "active": last.GetActive()}, nil
}
