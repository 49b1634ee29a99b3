package terminal

import (
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/audian/participant-gateway/client"
	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// jsonState is a state of a watch as one line of JSON. The names and words are those of REST.
type jsonState struct {
	Time  time.Time `json:"time"`
	State string    `json:"state"`
	// Reason is why there is a snapshot, or why the conference ended.
	Reason       string            `json:"reason,omitzero"`
	Participants []jsonParticipant `json:"participants,omitempty"`
	Changes      []jsonChange      `json:"changes,omitempty"`
	Fresh        bool              `json:"fresh"`
	StaleReason  string            `json:"stale_reason,omitzero"`
	Count        int               `json:"participant_count"`
	Total        *int32            `json:"total,omitzero"`
	Active       *int32            `json:"active,omitzero"`
	Error        *jsonError        `json:"error,omitzero"`
}

type jsonParticipant struct {
	ID          string    `json:"id"`
	PhoneNumber string    `json:"phone_number,omitzero"`
	Name        string    `json:"name,omitzero"`
	Role        string    `json:"role,omitzero"`
	Status      string    `json:"status,omitzero"`
	Muted       bool      `json:"muted"`
	Duration    int32     `json:"duration"`
	JoinedAt    time.Time `json:"joined_at,omitzero"`
}

type jsonChange struct {
	Kind           string          `json:"kind"`
	Participant    jsonParticipant `json:"participant"`
	PreviousStatus string          `json:"previous_status,omitzero"`
	ChangedFields  []string        `json:"changed_fields,omitempty"`
}

type jsonError struct {
	Code            string            `json:"code"`
	Reason          string            `json:"reason,omitzero"`
	Message         string            `json:"message"`
	Dialled         string            `json:"dialled,omitzero"`
	FieldViolations map[string]string `json:"field_violations,omitempty"`
}

// jsonDisplay prints one object for each state. A snapshot has all participants, and later
// objects have the changes.
type jsonDisplay struct{ out io.Writer }

func (d jsonDisplay) close() {}

func (d jsonDisplay) show(state client.State) error {
	printed := jsonState{
		Time: time.Now().UTC(), State: state.Kind.String(), Fresh: state.Fresh, StaleReason: state.StaleReason,
		Count: len(state.Roster), Total: state.Total, Active: state.Active, Error: newJSONError(state.Err),
	}
	switch state.Kind {
	case client.KindSnapshot:
		printed.Reason = word(state.SnapshotReason.String(), "SNAPSHOT_REASON_")
		printed.Participants = jsonParticipants(people(state.Roster))
	case client.KindEnd:
		printed.Reason = word(state.EndReason.String(), "WATCH_END_REASON_")
	case client.KindChanges, client.KindFreshness, client.KindDisconnected:
	}
	for _, change := range state.Changes {
		printed.Changes = append(printed.Changes, jsonChange{
			kindWord(change.GetKind()), newJSONParticipant(change.GetParticipant()), previousWord(change), change.GetChangedFields(),
		})
	}
	return printJSON(d.out, printed)
}

func newJSONParticipant(p *v2.Participant) jsonParticipant {
	found := jsonParticipant{
		ID: p.GetId(), PhoneNumber: p.GetPhoneNumber(), Name: p.GetName(), Role: roleWord(p), Status: statusWord(p),
		Muted: p.GetMuted(), Duration: p.GetDuration(),
	}
	if p.GetJoinedAt() != nil {
		found.JoinedAt = p.GetJoinedAt().AsTime()
	}
	return found
}

func jsonParticipants(people []*v2.Participant) []jsonParticipant {
	found := make([]jsonParticipant, 0, len(people))
	for _, p := range people {
		found = append(found, newJSONParticipant(p))
	}
	return found
}

func newJSONError(err *client.Error) *jsonError {
	if err == nil {
		return nil
	}
	found := &jsonError{Code: codeName(err.Code), Reason: err.Reason, Message: err.Message, Dialled: string(err.Dialled)}
	if len(err.FieldViolations) > 0 {
		found.FieldViolations = map[string]string{}
	}
	for _, violation := range err.FieldViolations {
		found.FieldViolations[violation.Field] = violation.Description
	}
	return found
}

// printJSON prints a value as one line.
func printJSON(out io.Writer, value any) error {
	line, err := json.Marshal(value, json.Deterministic(true))
	if err == nil {
		_, err = out.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	return nil
}
