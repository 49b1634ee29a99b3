package interceptor

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/durationpb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// fields returns the invalid fields, sorted.
func fields(t *testing.T, rule PhoneRule, request proto.Message) []string {
	t.Helper()
	validator := newValidator(rule)
	err := validator.check(t.Context(), request)
	if err == nil {
		return nil
	}
	refusal, ok := errors.AsType[*apierror.Error](err)
	if !ok || refusal.Reason != apierror.InvalidRequest {
		t.Fatalf("got %v", err)
	}
	var at []string
	for _, violation := range refusal.Violations {
		at = append(at, violation.Field)
	}
	slices.Sort(at)
	return at
}

const number = "+12025551234"

// compiled returns the rules of the proto. A test fails if they do not compile.
func compiled(tb testing.TB) protovalidate.Validator {
	tb.Helper()
	rules, err := compiledRules()
	if err != nil {
		tb.Fatal(err)
	}
	return rules
}

func TestA04_AddIsValidatedBeforeDialling(t *testing.T) {
	long := strings.Repeat("é", 100)
	for name, test := range map[string]struct {
		request *v2.AddParticipantRequest
		want    []string
	}{
		"good":              {&v2.AddParticipantRequest{ConferenceId: "c", PhoneNumber: number, Name: long, Role: 3, RequestId: "x"}, nil},
		"empty":             {&v2.AddParticipantRequest{}, []string{"conference_id", "phone_number"}},
		"name too long":     {&v2.AddParticipantRequest{ConferenceId: "c", PhoneNumber: number, Name: long + "x"}, []string{"name"}},
		"control character": {&v2.AddParticipantRequest{ConferenceId: "c", PhoneNumber: number, Name: "a\nb"}, []string{"name"}},
		"unknown role":      {&v2.AddParticipantRequest{ConferenceId: "c", PhoneNumber: number, Role: 4}, []string{"role"}},
		"request id":        {&v2.AddParticipantRequest{ConferenceId: "c", PhoneNumber: number, RequestId: "é"}, []string{"request_id"}},
		"everything":        {&v2.AddParticipantRequest{ConferenceId: "..", PhoneNumber: "x", Name: long + "x", Role: -1, RequestId: "\t"}, []string{"conference_id", "name", "phone_number", "request_id", "role"}},
	} {
		if got := fields(t, PhoneRule{}, test.request); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

func TestA04_PhoneNumbers(t *testing.T) {
	for _, test := range []struct {
		rule   PhoneRule
		number string
		want   bool
	}{
		{PhoneRule{}, number, true},
		{PhoneRule{}, "+442071838750", true},
		{PhoneRule{}, "+1202555", false},
		{PhoneRule{}, "+0123456789", false},
		{PhoneRule{}, "2025551234", false},
		{PhoneRule{}, "tel:+12025551234", false},
		{PhoneRule{}, "+1 202 555 1234", false},
		{PhoneRule{}, "+12025551234;ext=1", false},
		{PhoneRule{}, "+1202555123456789012345", false},
		{PhoneRule{DefaultRegion: "US"}, "2025551234", true},
		{PhoneRule{DefaultRegion: "US"}, "202555", false},
		{PhoneRule{DefaultRegion: "US"}, "+442071838750", true},
		{PhoneRule{}, "+4402079460000", false},
		{PhoneRule{}, "+442079460000", true},
		{PhoneRule{}, "+49030123456", false},
		{PhoneRule{}, "+4930123456", true},
		{PhoneRule{}, "+330123456789", false},
		{PhoneRule{}, "+33123456789", true},
		{PhoneRule{}, "+610291234567", false},
		{PhoneRule{}, "+61291234567", true},
		{PhoneRule{}, "+8109012345678", false},
		{PhoneRule{}, "+819012345678", true},
		{PhoneRule{}, "+390612345678", true},
		{PhoneRule{}, "+3780549123456", true},
		{PhoneRule{DefaultRegion: "GB"}, "+4402079460000", false},
		{PhoneRule{DefaultRegion: "GB"}, "02079460000", true},
		{PhoneRule{LengthOnly: true}, "+4402079460000", true},
		{PhoneRule{LengthOnly: true}, "anything", true},
		{PhoneRule{LengthOnly: true}, strings.Repeat("é", 20), true},
		{PhoneRule{LengthOnly: true}, strings.Repeat("1", 21), false},
	} {
		got := fields(t, test.rule, &v2.AddParticipantRequest{ConferenceId: "c", PhoneNumber: test.number})
		if (got == nil) != test.want || len(got) > 1 {
			t.Errorf("%+v %s: got %v, want good: %t", test.rule, test.number, got, test.want)
		}
	}
}

func TestA04_IDs(t *testing.T) {
	for id, want := range map[string]bool{
		"part_xyz789": true, "A-z.0@9~_": true, "...": true, strings.Repeat("a", 128): true, strings.Repeat("é", 128): true,
		"call:1": true, "a b": true, " ": true, "a%2Fb": true, "é": true, "a?b#c": true, "+12025551234": true, "\u65e5\u672c": true, "a\u2028b": true,
		"": false, ".": false, "..": false, "a/b": false, `a\b`: false, "/": false, "a\n": false, "\u007f": false, "a\u0085b": false,
		strings.Repeat("a", 129): false, strings.Repeat("é", 129): false,
	} {
		got := fields(t, PhoneRule{}, &v2.RemoveParticipantRequest{ConferenceId: "c", ParticipantId: id})
		if (got == nil) != want || len(got) > 1 {
			t.Errorf("%q: got %v, want good: %t", id, got, want)
		}
		if got := fields(t, PhoneRule{}, &v2.WatchParticipantsRequest{ConferenceId: "c", ParticipantIds: []string{id}}); (got == nil) != want {
			t.Errorf("%q in a filter: got %v, want good: %t", id, got, want)
		}
		if participant.ValidID(id) != want {
			t.Errorf("%q: participant.ValidID differs", id)
		}
	}
}

// A request with many violations is refused with the first of them, and quickly.
func TestA04_TwentyViolationsAtMost(t *testing.T) {
	ids := make([]string, 90)
	for _, test := range []struct {
		request proto.Message
		want    int
	}{
		{&v2.WatchParticipantsRequest{ConferenceId: "c", ParticipantIds: ids}, 20},
		{&v2.WatchParticipantsRequest{ConferenceId: "c", Statuses: make([]v2.ParticipantStatus, 60_000)}, 1},
		{&v2.ListParticipantsRequest{ConferenceId: "c", Roles: make([]v2.ParticipantRole, 101), Statuses: make([]v2.ParticipantStatus, 101)}, 2},
		{&v2.ListParticipantsRequest{ConferenceId: "c", Roles: slices.Repeat([]v2.ParticipantRole{1}, 100)}, 0},
	} {
		if got := fields(t, PhoneRule{}, test.request); len(got) != test.want {
			t.Errorf("%d violations, want %d", len(got), test.want)
		}
	}
}

func TestWatchAndListRequests(t *testing.T) {
	ids := func(n int) []string { return slices.Repeat([]string{"p"}, n) }
	for name, test := range map[string]struct {
		request proto.Message
		want    bool
	}{
		"all defaults":        {&v2.WatchParticipantsRequest{ConferenceId: "c"}, true},
		"a hundred ids":       {&v2.WatchParticipantsRequest{ConferenceId: "c", ParticipantIds: ids(100)}, true},
		"more":                {&v2.WatchParticipantsRequest{ConferenceId: "c", ParticipantIds: ids(101)}, false},
		"unspecified status":  {&v2.WatchParticipantsRequest{ConferenceId: "c", Statuses: []v2.ParticipantStatus{0}}, false},
		"unspecified role":    {&v2.WatchParticipantsRequest{ConferenceId: "c", Roles: []v2.ParticipantRole{0}}, false},
		"heartbeat of 5 s":    {&v2.WatchParticipantsRequest{ConferenceId: "c", HeartbeatInterval: durationpb.New(5 * time.Second)}, true},
		"heartbeat of 60 s":   {&v2.WatchParticipantsRequest{ConferenceId: "c", HeartbeatInterval: durationpb.New(time.Minute)}, true},
		"heartbeat too short": {&v2.WatchParticipantsRequest{ConferenceId: "c", HeartbeatInterval: durationpb.New(5*time.Second - 1)}, false},
		"heartbeat too long":  {&v2.WatchParticipantsRequest{ConferenceId: "c", HeartbeatInterval: durationpb.New(time.Minute + 1)}, false},
		"a large page":        {&v2.ListParticipantsRequest{ConferenceId: "c", PageSize: 5000}, true},
		"a negative page":     {&v2.ListParticipantsRequest{ConferenceId: "c", PageSize: -1}, false},
		"a list of nothing":   {&v2.ListParticipantsRequest{ConferenceId: "c", Statuses: []v2.ParticipantStatus{0}}, false},
	} {
		if got := fields(t, PhoneRule{}, test.request); (got == nil) != test.want {
			t.Errorf("%s: got %v, want good: %t", name, got, test.want)
		}
	}
}

// TestA04_ValidIDsAreEnough compares hasOnlyValidIDs with the rules of the proto, for the request of
// every call: with all of its ids, and with no id.
func TestA04_ValidIDsAreEnough(t *testing.T) {
	rules := compiled(t)
	methods := v2.File_audian_conference_v2_participant_service_proto.Services().Get(0).Methods()
	for i := range methods.Len() {
		kind, err := protoregistry.GlobalTypes.FindMessageByName(methods.Get(i).Input().FullName())
		if err != nil {
			t.Fatal(err)
		}
		request := kind.New()
		for _, id := range []string{"", "..", "part_1"} {
			for _, name := range []protoreflect.Name{"conference_id", "participant_id"} {
				if field := request.Descriptor().Fields().ByName(name); field != nil {
					request.Set(field, protoreflect.ValueOfString(id))
				}
			}
			breaks := rules.Validate(request.Interface())
			if got := hasOnlyValidIDs(request.Interface()); got != (breaks == nil) {
				t.Errorf("%s with id %q: %t, but the rules return %v", request.Descriptor().Name(), id, got, breaks)
			}
		}
	}
}
