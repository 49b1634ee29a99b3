package audian

import (
	"context"
	"fmt"
	"net/http"

	"github.com/audian/participant-gateway/internal/participant"
)

// noArguments is the body of a control.
var noArguments = []byte("{}")

// Control changes one field of one participant. A 2xx is a success unless its body contains an
// error, even if it cannot be read (A8). The item always has the id; its Fields are empty unless
// the response contains the participant.
func (c *Client) Control(ctx context.Context, conference, id string, control participant.Control, pacing Pacing) (participant.Item, error) {
	resp, err := c.call(ctx, request{
		operation: Operation(control.String()), method: http.MethodPost,
		path: conferencePath(conference, "participants", id, control.String()), body: noArguments,
	}, pacing)
	if err != nil {
		return participant.Item{}, fmt.Errorf("%s participant: %w", control, err)
	}
	item := decodeControlled(resp, id)
	item.ConferenceID = conference
	return item, nil
}

// decodeControlled decodes the participant in the response to a control. A response that is
// unreadable or shows another participant has only the id: it is a success all the same.
func decodeControlled(resp *response, id string) participant.Item {
	item, err := decodeParticipant(resp.envelope, resp.body, func(string) {})
	if err != nil || item.ID != id {
		return participant.Item{Participant: participant.Participant{ID: id}}
	}
	return item
}

// MuteAll asks the upstream to mute the participants of a conference. A 2xx is a success as in
// Control.
func (c *Client) MuteAll(ctx context.Context, conference string, pacing Pacing) error {
	_, err := c.call(ctx, request{
		operation: MuteAll, method: http.MethodPost, path: conferencePath(conference, "mute-all"),
		body: noArguments,
	}, pacing)
	if err != nil {
		return fmt.Errorf("mute all participants: %w", err)
	}
	return nil
}
