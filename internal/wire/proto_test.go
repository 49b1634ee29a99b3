package wire

import (
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

var noon = time.Date(2024, 2, 4, 12, 0, 0, 0, time.UTC)

// john returns a participant with every field set.
func john() participant.Participant {
	return participant.Participant{
		ID: "part_xyz789", ConferenceID: "conf_abc123def456", PhoneNumber: "+12025551234", Name: "John Smith",
		Role: participant.RolePresenter, Status: participant.StatusConnected, Duration: 245,
		JoinedAt: noon, CreatedAt: noon.Add(-time.Minute),
	}
}

func with(change func(*participant.Participant)) participant.Participant {
	p := john()
	change(&p)
	return p
}

func TestParticipant(t *testing.T) {
	for _, tt := range []struct {
		name string
		from participant.Participant
		want *v2.Participant
	}{
		{"full", john(), &v2.Participant{
			Id: "part_xyz789", ConferenceId: "conf_abc123def456", PhoneNumber: "+12025551234", Name: "John Smith",
			Role:   v2.ParticipantRole_PARTICIPANT_ROLE_PRESENTER,
			Status: v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED, Duration: 245,
			JoinedAt: timestamppb.New(noon), CreatedAt: timestamppb.New(noon.Add(-time.Minute)),
		}},
		{"no field set", participant.Participant{}, &v2.Participant{}},
		{"unknown status and role", participant.Participant{Status: "ringing", Role: "host"}, &v2.Participant{RawStatus: new("ringing"), RawRole: new("host")}},
		{"a name in another case is unknown", participant.Participant{Status: "Held"}, &v2.Participant{RawStatus: new("Held")}},
		{"no UTF-8", participant.Participant{Name: "J\xffn", Status: "\xfe"}, &v2.Participant{Name: "J\uFFFDn", RawStatus: new("\uFFFD")}},
		{"a year beyond the proto's", participant.Participant{JoinedAt: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, &v2.Participant{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Participant(tt.from); !proto.Equal(got, tt.want) {
				t.Errorf("Participant() = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestW08_ChangedFields(t *testing.T) {
	for _, tt := range []struct {
		name          string
		before, after participant.Participant
		want          []string
	}{
		{"nothing", john(), john(), nil},
		{"only the duration (W9)", john(), with(func(p *participant.Participant) { p.Duration++ }), nil},
		{"sorted", john(), with(func(p *participant.Participant) {
			p.Status, p.Role, p.PhoneNumber, p.Name, p.Muted = participant.StatusHeld, participant.RoleListener, "+1", "J", true
			p.JoinedAt, p.CreatedAt = noon.Add(1), noon.Add(1)
		}), []string{"created_at", "joined_at", "muted", "name", "phone_number", "role", "status"}},
		{"first sight of created_at", with(func(p *participant.Participant) { p.CreatedAt = time.Time{} }), john(), nil},
		{"known to unknown", john(), with(func(p *participant.Participant) { p.Status, p.Role = "ringing", "host" }), []string{"raw_role", "raw_status", "role", "status"}},
		{"unknown to unknown", with(func(p *participant.Participant) { p.Status = "a" }), with(func(p *participant.Participant) { p.Status = "b" }), []string{"raw_status"}},
		{"unknown to known", with(func(p *participant.Participant) { p.Role = "host" }), john(), []string{"raw_role", "role"}},
		{"none to unknown", with(func(p *participant.Participant) { p.Status = "" }), with(func(p *participant.Participant) { p.Status = "a" }), []string{"raw_status"}},
		{"known to none", john(), with(func(p *participant.Participant) { p.Status = "" }), []string{"status"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := changedFields(tt.before, tt.after); !slices.Equal(got, tt.want) {
				t.Errorf("changedFields() = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestChange(t *testing.T) {
	held := with(func(p *participant.Participant) { p.Status = participant.StatusHeld })
	connected := v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED.Enum()
	for _, tt := range []struct {
		name string
		from watch.Change
		want *v2.ParticipantChange
	}{
		{
			"joined",
			watch.Change{Kind: watch.Added, Participant: held},
			&v2.ParticipantChange{Kind: v2.ChangeKind_CHANGE_KIND_ADDED, Source: v2.ChangeSource_CHANGE_SOURCE_POLL},
		},
		{
			"entered the filter",
			watch.Change{Kind: watch.Added, Participant: held, Before: new(john())},
			&v2.ParticipantChange{
				Kind: v2.ChangeKind_CHANGE_KIND_ADDED, Source: v2.ChangeSource_CHANGE_SOURCE_POLL,
				PreviousStatus: connected, ChangedFields: []string{"status"},
			},
		},
		{
			"updated by a write",
			watch.Change{Kind: watch.Updated, Participant: held, Before: new(john()), ByWrite: true},
			&v2.ParticipantChange{
				Kind: v2.ChangeKind_CHANGE_KIND_UPDATED, Source: v2.ChangeSource_CHANGE_SOURCE_GATEWAY_WRITE,
				PreviousStatus: connected, ChangedFields: []string{"status"},
			},
		},
		{
			"removed",
			watch.Change{Kind: watch.Removed, Participant: held, Before: new(john())},
			&v2.ParticipantChange{
				Kind: v2.ChangeKind_CHANGE_KIND_REMOVED, Source: v2.ChangeSource_CHANGE_SOURCE_POLL, PreviousStatus: connected,
			},
		},
		{
			"left the filter from an unknown name",
			watch.Change{Kind: watch.LeftFilter, Participant: held, Before: new(with(func(p *participant.Participant) { p.Status = "ringing" }))},
			&v2.ParticipantChange{
				Kind: v2.ChangeKind_CHANGE_KIND_LEFT_FILTER, Source: v2.ChangeSource_CHANGE_SOURCE_POLL,
				PreviousStatus:    v2.ParticipantStatus_PARTICIPANT_STATUS_UNSPECIFIED.Enum(),
				PreviousRawStatus: new("ringing"), ChangedFields: []string{"raw_status", "status"},
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.Participant = Participant(held)
			if got := change(&tt.from, unmasked); !proto.Equal(got, tt.want) {
				t.Errorf("change() = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestCheckpoint(t *testing.T) {
	for _, tt := range []struct {
		name string
		from watch.Checkpoint
		want *v2.Checkpoint
	}{
		{
			"fresh, no counts yet",
			watch.Checkpoint{PollInterval: time.Second},
			&v2.Checkpoint{Freshness: v2.Freshness_FRESHNESS_FRESH, PollInterval: durationpb.New(time.Second)},
		},
		{
			"an old reason is not sent with a fresh state",
			watch.Checkpoint{StaleReason: apierror.UpstreamTimeout},
			&v2.Checkpoint{Freshness: v2.Freshness_FRESHNESS_FRESH, PollInterval: durationpb.New(0)},
		},
		{
			"stale",
			watch.Checkpoint{
				Stale: true, StaleReason: apierror.UpstreamTimeout, LastSuccess: noon,
				Counts: &watch.Counts{Total: 3, Active: 2, Visible: 1},
			},
			&v2.Checkpoint{
				Freshness: v2.Freshness_FRESHNESS_STALE, StaleReason: "UPSTREAM_TIMEOUT", LastSuccessTime: timestamppb.New(noon),
				Total: new(int32(3)), Active: new(int32(2)), ParticipantCount: new(int32(1)), PollInterval: durationpb.New(0),
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := checkpoint(&tt.from); !proto.Equal(got, tt.want) {
				t.Errorf("checkpoint() = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestEveryParticipantCanBeEncoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "bytes")) })
		encodedParticipant := Participant(participant.Participant{
			ID: text.Draw(t, "id"), Name: text.Draw(t, "name"), PhoneNumber: text.Draw(t, "number"),
			Status: participant.Status(text.Draw(t, "status")), Role: participant.Role(text.Draw(t, "role")),
			JoinedAt: time.Unix(rapid.Int64Range(-1e12, 1e12).Draw(t, "joined"), 0),
		})
		if _, err := proto.Marshal(encodedParticipant); err != nil {
			t.Fatalf("proto: %v", err)
		}
		if encoded, err := Marshal(encodedParticipant); err != nil || !utf8.Valid(encoded) {
			t.Fatalf("JSON: %q, %v", encoded, err)
		}
	})
}
