package wire

import (
	"slices"
	"strconv"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// participantBytes is more than the JSON of most participants takes.
const participantBytes = 320

// appendList appends a list as JSON.
func appendList(b []byte, l *v2.ListParticipantsResponse) []byte {
	b = appendParticipants(append(b, `{"participants":`...), l.GetParticipants())
	b = strconv.AppendInt(append(b, `,"total":`...), int64(l.GetTotal()), 10)
	b = strconv.AppendInt(append(b, `,"active":`...), int64(l.GetActive()), 10)
	b = appendText(append(b, `,"next_page_token":`...), l.GetNextPageToken())
	return append(b, '}')
}

func appendParticipants(b []byte, people []*v2.Participant) []byte {
	b = append(slices.Grow(b, (len(people)+1)*participantBytes), '[')
	for i, p := range people {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendParticipant(b, p)
	}
	return append(b, ']')
}

// appendParticipant appends a participant as JSON. Every field is present.
func appendParticipant(b []byte, p *v2.Participant) []byte {
	b = appendText(append(slices.Grow(b, participantBytes), `{"id":`...), p.GetId())
	b = appendText(append(b, `,"conference_id":`...), p.GetConferenceId())
	b = appendText(append(b, `,"phone_number":`...), p.GetPhoneNumber())
	b = appendText(append(b, `,"name":`...), p.GetName())
	b = appendText(append(b, `,"role":`...), nameOrRaw(roles.names[p.GetRole().Number()], p.GetRawRole()))
	b = appendText(append(b, `,"status":`...), nameOrRaw(statuses.names[p.GetStatus().Number()], p.GetRawStatus()))
	b = strconv.AppendBool(append(b, `,"muted":`...), p.GetMuted())
	b = strconv.AppendInt(append(b, `,"duration":`...), int64(p.GetDuration()), 10)
	b = appendTime(append(b, `,"joined_at":`...), p.GetJoinedAt())
	b = appendTime(append(b, `,"created_at":`...), p.GetCreatedAt())
	return append(b, '}')
}

// nameOrRaw returns the upstream's text if the enum does not contain it.
func nameOrRaw(name, raw string) string {
	if name == "" {
		return raw
	}
	return name
}
