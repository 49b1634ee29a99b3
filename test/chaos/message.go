package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// message is a message of a stream, in the names of its JSON, from either transport.
type message struct {
	Token      string      `json:"resume_token"`
	Snapshot   *snapshot   `json:"snapshot"`
	Changes    *changes    `json:"changes"`
	Checkpoint *checkpoint `json:"checkpoint"`
	End        *end        `json:"end"`
}

type snapshot struct {
	Participants []member `json:"participants"`
	Total        *int     `json:"total"`
	Reason       string   `json:"reason"`
}

type changes struct {
	Changes []change `json:"changes"`
}

type change struct {
	Kind     string  `json:"kind"`
	Member   member  `json:"participant"`
	Previous *string `json:"previous_status"`
}

type checkpoint struct {
	Freshness string `json:"freshness"`
	Reason    string `json:"stale_reason"`
	Total     *int   `json:"total"`
	Count     *int   `json:"participant_count"`
}

type end struct {
	Reason string `json:"reason"`
}

// member is what is compared of a participant: all that W2 promises.
type member struct {
	ID     string  `json:"id"`
	Phone  string  `json:"phone_number"`
	Name   string  `json:"name"`
	Role   string  `json:"role"`
	Status string  `json:"status"`
	Muted  bool    `json:"muted"`
	Joined instant `json:"joined_at"`
}

// instant is a comparable time; empty if there is none.
type instant string

func instantOf(t time.Time) instant {
	if t.IsZero() {
		return ""
	}
	return instant(t.UTC().Format(time.RFC3339Nano))
}

// UnmarshalText reads RFC 3339.
func (i *instant) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return fmt.Errorf("joined_at: %w", err)
	}
	*i = instantOf(t)
	return nil
}

func messageOf(m *v2.WatchParticipantsResponse) message {
	msg := message{Token: m.GetResumeToken()}
	switch event := m.GetEvent().(type) {
	case *v2.WatchParticipantsResponse_Snapshot:
		msg.Snapshot = &snapshot{
			Participants: membersOf(event.Snapshot.GetParticipants()),
			Total:        number(event.Snapshot.Total), Reason: enumName(event.Snapshot.GetReason()),
		}
	case *v2.WatchParticipantsResponse_Changes:
		msg.Changes = &changes{}
		for _, c := range event.Changes.GetChanges() {
			msg.Changes.Changes = append(msg.Changes.Changes, changeOf(c))
		}
	case *v2.WatchParticipantsResponse_Checkpoint:
		msg.Checkpoint = &checkpoint{
			Freshness: enumName(event.Checkpoint.GetFreshness()), Reason: event.Checkpoint.GetStaleReason(),
			Total: number(event.Checkpoint.Total), Count: number(event.Checkpoint.ParticipantCount),
		}
	case *v2.WatchParticipantsResponse_End:
		msg.End = &end{Reason: enumName(event.End.GetReason())}
	}
	return msg
}

func changeOf(c *v2.ParticipantChange) change {
	msg := change{Kind: enumName(c.GetKind()), Member: memberOf(c.GetParticipant())}
	if c.PreviousStatus != nil {
		msg.Previous = new(enumNameOr(c.GetPreviousStatus(), c.GetPreviousRawStatus()))
	}
	return msg
}

func membersOf(participants []*v2.Participant) []member {
	msg := make([]member, len(participants))
	for i, p := range participants {
		msg[i] = memberOf(p)
	}
	return msg
}

func memberOf(p *v2.Participant) member {
	msg := member{
		ID: p.GetId(), Phone: p.GetPhoneNumber(), Name: p.GetName(), Muted: p.GetMuted(),
		Role: enumNameOr(p.GetRole(), p.GetRawRole()), Status: enumNameOr(p.GetStatus(), p.GetRawStatus()),
	}
	if p.GetJoinedAt() != nil {
		msg.Joined = instantOf(p.GetJoinedAt().AsTime())
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
