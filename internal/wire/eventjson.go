package wire

import (
	"slices"
	"strings"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// appendEvent appends an event as JSON. It has the token and exactly one other member.
func appendEvent(b []byte, m *v2.WatchParticipantsResponse) []byte {
	b = appendText(append(b, `{"resume_token":`...), m.GetResumeToken())
	switch event := m.GetEvent().(type) {
	case *v2.WatchParticipantsResponse_Snapshot:
		b = appendSnapshot(append(b, `,"snapshot":`...), event.Snapshot)
	case *v2.WatchParticipantsResponse_Changes:
		b = appendChanges(append(b, `,"changes":`...), event.Changes)
	case *v2.WatchParticipantsResponse_Checkpoint:
		b = appendCheckpoint(append(b, `,"checkpoint":`...), event.Checkpoint)
	case *v2.WatchParticipantsResponse_End:
		b = append(appendText(append(b, `,"end":{"reason":`...), enumName(event.End.GetReason())), '}')
	}
	return append(b, '}')
}

//nolint:protogetter // A number that is unset is null.
func appendSnapshot(b []byte, s *v2.ParticipantSnapshot) []byte {
	b = appendParticipants(append(b, `{"participants":`...), s.GetParticipants())
	b = appendOptional(append(b, `,"total":`...), s.Total)
	b = appendOptional(append(b, `,"active":`...), s.Active)
	b = appendText(append(b, `,"reason":`...), enumName(s.GetReason()))
	b = appendTime(append(b, `,"observed_time":`...), s.GetObservedTime())
	return append(b, '}')
}

func appendChanges(b []byte, c *v2.ParticipantChanges) []byte {
	b = append(b, `{"changes":[`...)
	for i, change := range c.GetChanges() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendChange(b, change)
	}
	b = appendTime(append(b, `],"not_before":`...), c.GetNotBefore())
	b = appendTime(append(b, `,"not_after":`...), c.GetNotAfter())
	return append(b, '}')
}

func appendChange(b []byte, c *v2.ParticipantChange) []byte {
	b = appendText(append(b, `{"kind":`...), enumName(c.GetKind()))
	b = appendParticipant(append(b, `,"participant":`...), c.GetParticipant())
	b = append(b, `,"previous_status":`...)
	if c.PreviousStatus == nil {
		b = append(b, "null"...)
	} else {
		b = appendText(b, nameOrRaw(enumName(c.GetPreviousStatus()), c.GetPreviousRawStatus()))
	}
	b = append(b, `,"changed_fields":[`...)
	for i, field := range jsonFields(c.GetChangedFields()) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, field)
	}
	b = appendText(append(b, `],"source":`...), enumName(c.GetSource()))
	return append(b, '}')
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

//nolint:protogetter // Likewise.
func appendCheckpoint(b []byte, c *v2.Checkpoint) []byte {
	b = appendText(append(b, `{"freshness":`...), enumName(c.GetFreshness()))
	b = appendTime(append(b, `,"last_success_time":`...), c.GetLastSuccessTime())
	b = appendText(append(b, `,"stale_reason":`...), c.GetStaleReason())
	b = appendOptional(append(b, `,"total":`...), c.Total)
	b = appendOptional(append(b, `,"active":`...), c.Active)
	b = appendOptional(append(b, `,"participant_count":`...), c.ParticipantCount)
	b = appendDuration(append(b, `,"poll_interval":`...), c.GetPollInterval())
	return append(b, '}')
}
