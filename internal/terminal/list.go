package terminal

import (
	"context"
	"fmt"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// Run lists the participants of a conference: as a table, or as JSON.
func (c *listCommand) Run(ctx context.Context, s *session) error {
	response, err := s.client.Service().ListParticipants(ctx, &v2.ListParticipantsRequest{
		ConferenceId: c.Conference, Statuses: c.statuses(), Roles: c.roles(),
	})
	if err != nil {
		return fmt.Errorf("list: %w", describe(err))
	}
	if !s.json {
		return printTable(s.process.Out, response.GetParticipants())
	}
	for _, p := range response.GetParticipants() {
		if err := printJSON(s.process.Out, newJSONParticipant(p)); err != nil {
			return err
		}
	}
	return nil
}
