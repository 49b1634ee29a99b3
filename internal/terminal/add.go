package terminal

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/audian/participant-gateway/client"
	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// Run adds a participant and prints them. It gives each call a request_id, so that the user can
// repeat the command after any error.
func (c *addCommand) Run(ctx context.Context, s *session) error {
	id := c.RequestID
	if id == "" {
		id = rand.Text()
	}
	response, err := s.client.Service().AddParticipant(ctx, &v2.AddParticipantRequest{
		ConferenceId: c.Conference, PhoneNumber: c.PhoneNumber, Name: c.Name, Role: roleOf(c.Role), Muted: c.Muted,
		SendPinViaSms: c.SendPINViaSMS, RequestId: id, ValidateOnly: c.ValidateOnly, WaitForAnswer: c.Wait,
	})
	if failed, ok := client.AsError(err); ok && failed.Dialled == client.DialledUnknown {
		return fmt.Errorf("add: %w; to repeat it without dialling twice: --request-id=%s", describe(err), id)
	}
	if err != nil {
		return fmt.Errorf("add: %w", describe(err))
	}
	return s.printParticipant(response.GetParticipant())
}

// printParticipant prints one participant, or nothing where a response has none.
func (s *session) printParticipant(p *v2.Participant) error {
	switch {
	case p == nil:
		return nil
	case s.json:
		return printJSON(s.process.Out, newJSONParticipant(p))
	default:
		return printTable(s.process.Out, []*v2.Participant{p})
	}
}
