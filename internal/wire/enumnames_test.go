package wire

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/participant"
)

func TestEveryEnumValueHasAName(t *testing.T) {
	enums := v2.File_audian_conference_v2_participant_service_proto.Enums()
	for i := range enums.Len() {
		values := enums.Get(i).Values()
		seen := make(map[string]bool)
		for j := range values.Len() {
			value := values.Get(j)
			name := namesOf(enums.Get(i)).names[value.Number()]
			if seen[name] || name != strings.ToLower(name) || (name == "") != (value.Number() == 0) {
				t.Errorf("%s has the name %q", value.FullName(), name)
			}
			seen[name] = true
			for _, text := range []string{name, string(value.Name())} {
				if number, found := EnumNumber(enums.Get(i), text); !found || number != value.Number() {
					t.Errorf("EnumNumber(%q) = %d, %t, want %d", text, number, found, value.Number())
				}
			}
		}
	}
}

func TestEnumNamesAreTheUpstreams(t *testing.T) {
	for _, tt := range []struct {
		value protoreflect.Enum
		want  string
	}{
		{v2.ParticipantStatus_PARTICIPANT_STATUS_DIALING, string(participant.StatusDialing)},
		{v2.ParticipantRole_PARTICIPANT_ROLE_OPERATOR, string(participant.RoleOperator)},
		{v2.SnapshotReason_SNAPSHOT_REASON_RESUME_EXPIRED, "resume_expired"},
		{v2.ChangeKind_CHANGE_KIND_LEFT_FILTER, "left_filter"},
		{v2.ChangeSource_CHANGE_SOURCE_GATEWAY_WRITE, "gateway_write"},
		{v2.Freshness_FRESHNESS_STALE, "stale"},
		{v2.WatchEndReason_WATCH_END_REASON_CONFERENCE_GONE, "conference_gone"},
		{v2.ParticipantStatus_PARTICIPANT_STATUS_UNSPECIFIED, ""},
		{v2.ParticipantStatus(99), ""},
	} {
		if got := enumName(tt.value); got != tt.want {
			t.Errorf("enumName(%v) = %q, want %q", tt.value, got, tt.want)
		}
	}
}

func TestEnumNumberRefusesOtherForms(t *testing.T) {
	enum := v2.ParticipantStatus(0).Descriptor()
	for _, text := range []string{"CONNECTED", "Connected", "unspecified", "3", "connected,held", " connected"} {
		if number, found := EnumNumber(enum, text); found {
			t.Errorf("EnumNumber(%q) = %d, want none", text, number)
		}
	}
}

func TestFilter(t *testing.T) {
	got := Filter(
		[]v2.ParticipantStatus{v2.ParticipantStatus_PARTICIPANT_STATUS_HELD, v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED},
		[]v2.ParticipantRole{v2.ParticipantRole_PARTICIPANT_ROLE_LISTENER},
		[]string{"b", "a", "b"},
	)
	want := participant.NewFilter(
		[]participant.Status{participant.StatusConnected, participant.StatusHeld},
		[]participant.Role{participant.RoleListener},
		[]string{"a", "b"},
	)
	if got.Hash() != want.Hash() {
		t.Errorf("Filter() = %+v, want %+v", got, want)
	}
}

// Reflection serves the imports too. One that is not linked when a package variable reads the
// descriptors stays a placeholder.
func TestImportsOfTheServiceAreLinked(t *testing.T) {
	imports := v2.File_audian_conference_v2_participant_service_proto.Imports()
	for i := range imports.Len() {
		if imports.Get(i).IsPlaceholder() {
			t.Errorf("%s is a placeholder", imports.Get(i).Path())
		}
	}
}
