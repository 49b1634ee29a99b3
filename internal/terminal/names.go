package terminal

import (
	"strings"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// statusWord returns the REST word of a participant's status: the upstream's own word if the
// gateway does not know it.
func statusWord(p *v2.Participant) string {
	if p.GetStatus() == v2.ParticipantStatus_PARTICIPANT_STATUS_UNSPECIFIED {
		return p.GetRawStatus()
	}
	return word(p.GetStatus().String(), "PARTICIPANT_STATUS_")
}

// roleWord returns the REST word of a participant's role.
func roleWord(p *v2.Participant) string {
	if p.GetRole() == v2.ParticipantRole_PARTICIPANT_ROLE_UNSPECIFIED {
		return p.GetRawRole()
	}
	return word(p.GetRole().String(), "PARTICIPANT_ROLE_")
}

// previousWord returns the REST word of the status before a change; empty if there was none.
func previousWord(change *v2.ParticipantChange) string {
	switch {
	case change.PreviousStatus == nil:
		return ""
	case change.GetPreviousStatus() == v2.ParticipantStatus_PARTICIPANT_STATUS_UNSPECIFIED:
		return change.GetPreviousRawStatus()
	default:
		return word(change.GetPreviousStatus().String(), "PARTICIPANT_STATUS_")
	}
}

func kindWord(kind v2.ChangeKind) string { return word(kind.String(), "CHANGE_KIND_") }

// word returns the REST word of an enum value: its name in lower case without the prefix.
func word(name, prefix string) string { return strings.ToLower(strings.TrimPrefix(name, prefix)) }

// statusOf returns the status of a REST word that the command line has checked.
func statusOf(word string) v2.ParticipantStatus {
	return v2.ParticipantStatus(v2.ParticipantStatus_value["PARTICIPANT_STATUS_"+strings.ToUpper(word)])
}

// roleOf returns the role of a REST word that the command line has checked; unspecified for an
// empty one.
func roleOf(word string) v2.ParticipantRole {
	return v2.ParticipantRole(v2.ParticipantRole_value["PARTICIPANT_ROLE_"+strings.ToUpper(word)])
}

func (f Filter) statuses() (statuses []v2.ParticipantStatus) {
	for _, word := range f.Statuses {
		statuses = append(statuses, statusOf(word))
	}
	return statuses
}

func (f Filter) roles() (roles []v2.ParticipantRole) {
	for _, word := range f.Roles {
		roles = append(roles, roleOf(word))
	}
	return roles
}

// joined returns the local time at which a participant joined; empty before that.
func joined(p *v2.Participant) string {
	if p.GetJoinedAt() == nil {
		return ""
	}
	return p.GetJoinedAt().AsTime().In(time.Local).Format(time.TimeOnly) //nolint:gosmopolitan // A person at a terminal reads it.
}
