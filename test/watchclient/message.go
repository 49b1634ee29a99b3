// Package watchclient is a strict client of watch streams for tests: it reads messages over several
// transports in one form, applies them to a roster, and compares what several watchers received.
package watchclient

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// Message is a message of a stream, in the names of its JSON, from either transport.
type Message struct {
	Token      string      `json:"resume_token"`
	Snapshot   *Snapshot   `json:"snapshot"`
	Changes    *Changes    `json:"changes"`
	Checkpoint *Checkpoint `json:"checkpoint"`
	End        *End        `json:"end"`
}

// Snapshot is the whole roster, through the filter.
type Snapshot struct {
	Participants []Member `json:"participants"`
	Total        *int     `json:"total"`
	Reason       string   `json:"reason"`
}

// Changes are one batch of changes.
type Changes struct {
	Changes []Change `json:"changes"`
}

// Change is a change of one participant.
type Change struct {
	Kind     string  `json:"kind"`
	Member   Member  `json:"participant"`
	Previous *string `json:"previous_status"`
}

// Checkpoint says whether the roster is fresh.
type Checkpoint struct {
	Freshness string `json:"freshness"`
	Reason    string `json:"stale_reason"`
	Total     *int   `json:"total"`
	Count     *int   `json:"participant_count"`
}

// End is the end of a conference.
type End struct {
	Reason string `json:"reason"`
}

// Member is what is compared of a participant: all that W2 promises.
type Member struct {
	ID     string  `json:"id"`
	Phone  string  `json:"phone_number"`
	Name   string  `json:"name"`
	Role   string  `json:"role"`
	Status string  `json:"status"`
	Muted  bool    `json:"muted"`
	Joined Instant `json:"joined_at"`
}

// Instant is a comparable time; empty if there is none.
type Instant string

// InstantOf returns a time as an Instant.
func InstantOf(t time.Time) Instant {
	if t.IsZero() {
		return ""
	}
	return Instant(t.UTC().Format(time.RFC3339Nano))
}

// UnmarshalText reads RFC 3339.
func (i *Instant) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return fmt.Errorf("joined_at: %w", err)
	}
	*i = InstantOf(t)
	return nil
}

// MessageOf returns a message of gRPC in the form of JSON.
func MessageOf(m *v2.WatchParticipantsResponse) Message {
	msg := Message{Token: m.GetResumeToken()}
	switch event := m.GetEvent().(type) {
	case *v2.WatchParticipantsResponse_Snapshot:
		msg.Snapshot = &Snapshot{
			Participants: MembersOf(event.Snapshot.GetParticipants()),
			Total:        number(event.Snapshot.Total), Reason: enumName(event.Snapshot.GetReason()),
		}
	case *v2.WatchParticipantsResponse_Changes:
		msg.Changes = &Changes{}
		for _, c := range event.Changes.GetChanges() {
			msg.Changes.Changes = append(msg.Changes.Changes, changeOf(c))
		}
	case *v2.WatchParticipantsResponse_Checkpoint:
		msg.Checkpoint = &Checkpoint{
			Freshness: enumName(event.Checkpoint.GetFreshness()), Reason: event.Checkpoint.GetStaleReason(),
			Total: number(event.Checkpoint.Total), Count: number(event.Checkpoint.ParticipantCount),
		}
	case *v2.WatchParticipantsResponse_End:
		msg.End = &End{Reason: enumName(event.End.GetReason())}
	}
	return msg
}

func changeOf(c *v2.ParticipantChange) Change {
	msg := Change{Kind: enumName(c.GetKind()), Member: memberOf(c.GetParticipant())}
	if c.PreviousStatus != nil {
		msg.Previous = new(enumNameOr(c.GetPreviousStatus(), c.GetPreviousRawStatus()))
	}
	return msg
}

// MembersOf returns what is compared of participants.
func MembersOf(participants []*v2.Participant) []Member {
	msg := make([]Member, len(participants))
	for i, p := range participants {
		msg[i] = memberOf(p)
	}
	return msg
}

func memberOf(p *v2.Participant) Member {
	msg := Member{
		ID: p.GetId(), Phone: p.GetPhoneNumber(), Name: p.GetName(), Muted: p.GetMuted(),
		Role: enumNameOr(p.GetRole(), p.GetRawRole()), Status: enumNameOr(p.GetStatus(), p.GetRawStatus()),
	}
	if p.GetJoinedAt() != nil {
		msg.Joined = InstantOf(p.GetJoinedAt().AsTime())
	}
	return msg
}

func number(n *int32) *int {
	if n == nil {
		return nil
	}
	return new(int(*n))
}

// enumName returns an enum value's name in JSON: lower case, without the prefix of the enum.
func enumName(value protoreflect.Enum) string {
	values := value.Descriptor().Values()
	if values.ByNumber(value.Number()) == nil {
		return strconv.Itoa(int(value.Number()))
	}
	prefix := strings.TrimSuffix(string(values.ByNumber(0).Name()), "UNSPECIFIED")
	return strings.ToLower(strings.TrimPrefix(string(values.ByNumber(value.Number()).Name()), prefix))
}

// enumNameOr returns the upstream's own value where the enum has none for it.
func enumNameOr(value protoreflect.Enum, raw string) string {
	if raw != "" {
		return raw
	}
	return enumName(value)
}
