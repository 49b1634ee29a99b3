package wire

import (
	"slices"
	"strings"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// eventJSON has the token and exactly one other member.
type eventJSON struct {
	ResumeToken string          `json:"resume_token"`
	Snapshot    *snapshotJSON   `json:"snapshot,omitzero"`
	Changes     *changesJSON    `json:"changes,omitzero"`
	Checkpoint  *checkpointJSON `json:"checkpoint,omitzero"`
	End         *endJSON        `json:"end,omitzero"`
}

func eventJSONOf(m *v2.WatchParticipantsResponse) eventJSON {
	encoded := eventJSON{ResumeToken: m.GetResumeToken()}
	switch event := m.GetEvent().(type) {
	case *v2.WatchParticipantsResponse_Snapshot:
		encoded.Snapshot = snapshotJSONOf(event.Snapshot)
	case *v2.WatchParticipantsResponse_Changes:
		encoded.Changes = changesJSONOf(event.Changes)
	case *v2.WatchParticipantsResponse_Checkpoint:
		encoded.Checkpoint = checkpointJSONOf(event.Checkpoint)
	case *v2.WatchParticipantsResponse_End:
		encoded.End = &endJSON{Reason: enumName(event.End.GetReason())}
	}
	return encoded
}

type snapshotJSON struct {
	Participants []participantJSON `json:"participants"`
	Total        *int32            `json:"total"`
	Active       *int32            `json:"active"`
	Reason       string            `json:"reason"`
	ObservedTime *instant          `json:"observed_time"`
}

func snapshotJSONOf(s *v2.ParticipantSnapshot) *snapshotJSON {
	return &snapshotJSON{
		Participants: participantsJSONOf(s.GetParticipants()),
		Total:        s.Total,
		Active:       s.Active,
		Reason:       enumName(s.GetReason()),
		ObservedTime: (*instant)(s.GetObservedTime()),
	}
}

type changesJSON struct {
	Changes   []changeJSON `json:"changes"`
	NotBefore *instant     `json:"not_before"`
	NotAfter  *instant     `json:"not_after"`
}

func changesJSONOf(c *v2.ParticipantChanges) *changesJSON {
	encoded := make([]changeJSON, len(c.GetChanges()))
	for i, change := range c.GetChanges() {
		encoded[i] = changeJSONOf(change)
	}
	return &changesJSON{Changes: encoded, NotBefore: (*instant)(c.GetNotBefore()), NotAfter: (*instant)(c.GetNotAfter())}
}

type changeJSON struct {
	Kind           string          `json:"kind"`
	Participant    participantJSON `json:"participant"`
	PreviousStatus *string         `json:"previous_status"`
	ChangedFields  []string        `json:"changed_fields"`
	Source         string          `json:"source"`
}

func changeJSONOf(c *v2.ParticipantChange) changeJSON {
	encoded := changeJSON{
		Kind:          enumName(c.GetKind()),
		Participant:   participantJSONOf(c.GetParticipant()),
		ChangedFields: jsonFields(c.GetChangedFields()),
		Source:        enumName(c.GetSource()),
	}
	if c.PreviousStatus != nil {
		encoded.PreviousStatus = new(nameOrRaw(enumName(c.GetPreviousStatus()), c.GetPreviousRawStatus()))
	}
	return encoded
}

// jsonFields returns the JSON names of changed fields: JSON has no raw fields.
func jsonFields(names []string) []string {
	fields := make([]string, len(names))
	for i, name := range names {
		fields[i] = strings.TrimPrefix(name, rawPrefix)
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

type checkpointJSON struct {
	Freshness        string   `json:"freshness"`
	LastSuccessTime  *instant `json:"last_success_time"`
	StaleReason      string   `json:"stale_reason"`
	Total            *int32   `json:"total"`
	Active           *int32   `json:"active"`
	ParticipantCount *int32   `json:"participant_count"`
	PollInterval     *span    `json:"poll_interval"`
}

func checkpointJSONOf(c *v2.Checkpoint) *checkpointJSON {
	return &checkpointJSON{
		Freshness:        enumName(c.GetFreshness()),
		LastSuccessTime:  (*instant)(c.GetLastSuccessTime()),
		StaleReason:      c.GetStaleReason(),
		Total:            c.Total,
		Active:           c.Active,
		ParticipantCount: c.ParticipantCount,
		PollInterval:     (*span)(c.GetPollInterval()),
	}
}

type endJSON struct {
	Reason string `json:"reason"`
}
