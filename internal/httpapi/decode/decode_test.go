package decode

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
)

// violationsOf returns an error's violations, as "field: rule".
func violationsOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	refused, isOurs := errors.AsType[*apierror.Error](err)
	if !isOurs || refused.Reason != apierror.InvalidRequest {
		t.Fatalf("error %v is not INVALID_REQUEST", err)
	}
	found := make([]string, len(refused.Violations))
	for i, v := range refused.Violations {
		found[i] = v.Field + ": " + v.Rule
	}
	return strings.Join(found, ", ")
}

func TestJSON(t *testing.T) {
	presenter := v2.ParticipantRole_PARTICIPANT_ROLE_PRESENTER
	for _, tt := range []struct {
		body string
		want *v2.AddParticipantRequest
	}{
		{``, &v2.AddParticipantRequest{}},
		{`{}`, &v2.AddParticipantRequest{}},
		{
			`{"phone_number":"+12025551234","name":"John Smith","role":"presenter","muted":true,"send_pin_via_sms":true,"request_id":"r1"}`,
			&v2.AddParticipantRequest{PhoneNumber: "+12025551234", Name: "John Smith", Role: presenter, Muted: true, SendPinViaSms: true, RequestId: "r1"},
		},
		{`{"role":"PARTICIPANT_ROLE_PRESENTER"}`, &v2.AddParticipantRequest{Role: presenter}},
		{`{"role":""}`, &v2.AddParticipantRequest{}},
		{` { "role" : null , "muted" : null, "name": "\u00e9" } ` + "\n", &v2.AddParticipantRequest{Name: "é"}},
	} {
		t.Run(tt.body, func(t *testing.T) {
			var got v2.AddParticipantRequest
			if err := JSON([]byte(tt.body), &got); err != nil || !proto.Equal(&got, tt.want) {
				t.Errorf("JSON() = %v, %v, want %v", &got, err, tt.want)
			}
		})
	}
}

func TestJSONNamesEachInvalidField(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		{`{"phone":"+1"}`, "phone: unknown"},
		{`{"phoneNumber":"+1"}`, "phoneNumber: unknown"},
		{`{"data":{"name":"x"},"Name":"x","name":1}`, "data: unknown, Name: unknown, name: type"},
		{`{"name":["x"],"muted":"true","role":1,"phone_number":{"a":1}}`, "name: type, muted: type, role: type, phone_number: type"},
		{`{"role":"moderator"}`, "role: type"},
		{`{"role":"PRESENTER"}`, "role: type"},
		{`{"name":"a","name":"b"}`, "name: duplicate"},
		{`{"name":"a"} {}`, "body: syntax"},
		{`{"name":"a"}}`, "body: syntax"},
		{`{"name":"a"`, "body: syntax"},
		{`{"name":"a",}`, "body: syntax"},
		{`{"bad":1,"name":`, "bad: unknown, body: syntax"},
		{"{\"name\":\"\xff\"}", "body: syntax"},
		{`[]`, "body: type"},
		{`"x"`, "body: type"},
		{`null`, "body: type"},
		{`phone_number=%2B1202`, "body: syntax"},
		{`   `, "body: syntax"},
		{`{1:2}`, "body: syntax"},
	} {
		t.Run(tt.body, func(t *testing.T) {
			if got := violationsOf(t, JSON([]byte(tt.body), &v2.AddParticipantRequest{})); got != tt.want {
				t.Errorf("faults = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestErrorTexts(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{JSON([]byte(`{"colour":1}`), &v2.AddParticipantRequest{}), "body: colour: unknown field"},
		{JSON([]byte(`{"a":!`), &v2.AddParticipantRequest{}), "body: a: unknown field (and 1 more)"},
		{JSON([]byte(`phone`), &v2.AddParticipantRequest{}), "body: invalid JSON at byte 0"},
		{JSON([]byte(`{} {}`), &v2.AddParticipantRequest{}), "body: trailing data after the JSON object"},
		{JSON([]byte(`{"name":`), &v2.AddParticipantRequest{}), "body: invalid JSON at byte 8"},
		{Query("a=b", &v2.ListParticipantsRequest{}), "query: a: unknown parameter"},
		{ProtoJSON([]byte(`{"a":1}`), &v2.ListParticipantsRequest{}), "body: a: unknown field"},
		{JSON([]byte("\ufeff{}"), &v2.AddParticipantRequest{}), ""},
		{JSON([]byte("\ufeff"), &v2.AddParticipantRequest{}), ""},
		{JSON([]byte("\ufeff\ufeff{}"), &v2.AddParticipantRequest{}), "body: invalid JSON at byte 0"},
		{ProtoJSON([]byte("\ufeff{}"), &v2.AddParticipantRequest{}), ""},
	} {
		refused, _ := errors.AsType[*apierror.Error](tt.err)
		if (refused == nil && tt.want != "") || (refused != nil && refused.Message != tt.want) {
			t.Errorf("error = %v, want %q", tt.err, tt.want)
		}
	}
}

func TestJSONArrays(t *testing.T) {
	for _, tt := range []struct{ body, want, faults string }{
		{`{"statuses":["connected","PARTICIPANT_STATUS_HELD"],"page_size":5}`, "[PARTICIPANT_STATUS_CONNECTED PARTICIPANT_STATUS_HELD] 5", ""},
		{`{"statuses":[]}`, "[] 0", ""},
		{`{"statuses":"connected"}`, "[] 0", "statuses: type"},
		{`{"statuses":["held",null,{},"x"]}`, "[PARTICIPANT_STATUS_HELD] 0", "statuses: type, statuses: type, statuses: type"},
		{`{"statuses":["held"`, "[PARTICIPANT_STATUS_HELD] 0", "body: syntax"},
		{`{"page_size":1.5}`, "[] 0", "page_size: type"},
		{`{"page_size":"5"}`, "[] 0", "page_size: type"},
	} {
		t.Run(tt.body, func(t *testing.T) {
			var got v2.ListParticipantsRequest
			faults := violationsOf(t, JSON([]byte(tt.body), &got))
			if values := fmt.Sprint(got.GetStatuses(), got.GetPageSize()); values != tt.want || faults != tt.faults {
				t.Errorf("JSON() = %s, faults %q, want %s, faults %q", values, faults, tt.want, tt.faults)
			}
		})
	}
}

func TestJSONObjects(t *testing.T) {
	for _, tt := range []struct{ body, want, faults string }{
		{`{"watches":[{"conference_id":"a","resume_token":"t"},{"conference_id":"b"}],"statuses":["held"]}`, "a t b  1", ""},
		{`{"watches":[]}`, "0", ""},
		{`{"watches":null}`, "0", ""},
		{`{"watches":{"conference_id":"a"}}`, "0", "watches: type"},
		{`{"watches":["a",null,{"conference_id":1},{"conference_id":null}],"statuses":["held"]}`, "        1", "watches[0]: type, watches[1]: type, watches[2].conference_id: type"},
		{`{"watches":[{"conference":"a"}],"conference_id":"b"}`, "  0", "watches[0].conference: unknown, conference_id: unknown"},
		{`{"watches":[{},{"conference_id":"a","conference_id":"b"}]}`, "  a  0", "watches[1].conference_id: duplicate"},
		{`{"watches":[{"conference_id":"a"`, "a  0", "body: syntax"},
	} {
		t.Run(tt.body, func(t *testing.T) {
			var got v2.WatchConferencesRequest
			faults := violationsOf(t, JSON([]byte(tt.body), &got))
			var values strings.Builder
			for _, one := range got.GetWatches() {
				values.WriteString(one.GetConferenceId() + " " + one.GetResumeToken() + " ")
			}
			fmt.Fprint(&values, len(got.GetStatuses()))
			if values.String() != tt.want || faults != tt.faults {
				t.Errorf("JSON() = %q, faults %q, want %q, faults %q", values.String(), faults, tt.want, tt.faults)
			}
		})
	}
}

func TestA16_QueryNamesConferences(t *testing.T) {
	var many v2.WatchConferencesRequest
	if got := violationsOf(t, Query("conference_ids=a&statuses=held&conference_ids=b", &many)); got != "" || len(many.GetWatches()) != 2 ||
		many.GetWatches()[1].GetConferenceId() != "b" {
		t.Errorf("Query() = %v, faults %q", &many, got)
	}
	for _, tt := range []struct {
		request     proto.Message
		query, want string
	}{
		{&v2.WatchConferencesRequest{}, "conference_ids=%ff", "conference_ids: type"},
		{&v2.WatchConferencesRequest{}, "watches=a&conference_id=b", "conference_id: unknown, watches: unknown"},
		{&v2.WatchParticipantsRequest{}, "conference_ids=a", "conference_ids: unknown"},
	} {
		if got := violationsOf(t, Query(tt.query, tt.request)); got != tt.want {
			t.Errorf("%s: faults = %q, want %q", tt.query, got, tt.want)
		}
	}
}

func TestViolationsAreBounded(t *testing.T) {
	var body strings.Builder
	body.WriteString(`{"` + strings.Repeat("é", 1000) + `":1`)
	for i := range 100 {
		fmt.Fprintf(&body, `,"f%d":1`, i)
	}
	body.WriteString("}")
	refused, _ := errors.AsType[*apierror.Error](JSON([]byte(body.String()), &v2.AddParticipantRequest{}))
	if len(refused.Violations) != 20 || len([]rune(refused.Violations[0].Field)) != 65 {
		t.Errorf("%d violations, the first of %q", len(refused.Violations), refused.Violations[0].Field)
	}
}

func TestQuery(t *testing.T) {
	held, connected := v2.ParticipantStatus_PARTICIPANT_STATUS_HELD, v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED
	for _, tt := range []struct {
		query string
		want  *v2.WatchParticipantsRequest
	}{
		{"", &v2.WatchParticipantsRequest{}},
		{"statuses=connected&statuses=PARTICIPANT_STATUS_HELD", &v2.WatchParticipantsRequest{Statuses: []v2.ParticipantStatus{connected, held}}},
		{"statuses=", &v2.WatchParticipantsRequest{Statuses: []v2.ParticipantStatus{0}}},
		{"participant_ids=a&participant_ids=b&resume_token=t", &v2.WatchParticipantsRequest{ParticipantIds: []string{"a", "b"}, ResumeToken: "t"}},
		{"heartbeat_interval=5s", &v2.WatchParticipantsRequest{HeartbeatInterval: durationpb.New(5 * time.Second)}},
		{"heartbeat_interval=7.5s", &v2.WatchParticipantsRequest{HeartbeatInterval: durationpb.New(7500 * time.Millisecond)}},
		{"heartbeat_interval=-1s", &v2.WatchParticipantsRequest{HeartbeatInterval: durationpb.New(-time.Second)}},
	} {
		t.Run(tt.query, func(t *testing.T) {
			var got v2.WatchParticipantsRequest
			if err := Query(tt.query, &got); err != nil || !proto.Equal(&got, tt.want) {
				t.Errorf("Query() = %v, %v, want %v", &got, err, tt.want)
			}
		})
	}
}

func TestQueryNamesEachInvalidField(t *testing.T) {
	for _, tt := range []struct{ query, want string }{
		{"status=connected&auth_token=x&statuses=Held", "auth_token: unknown, status: unknown, statuses: type"},
		{"statuses=connected,held", "statuses: type"},
		{"resume_token=a&resume_token=b", "resume_token: once"},
		{"resume_token=%ff", "resume_token: type"},
		{"heartbeat_interval=5", "heartbeat_interval: type"},
		{"heartbeat_interval=5m", "heartbeat_interval: type"},
		{"heartbeat_interval=99999999999s", "heartbeat_interval: type"},
		{"heartbeat_interval=", "heartbeat_interval: type"},
		{"heartbeat_interval.seconds=5", "heartbeat_interval.seconds: unknown"},
		{"%ff=1", "\uFFFD: unknown"},
		{"resume_token=%zz", "query: syntax"},
		{"a=1;b=2", "query: syntax"},
	} {
		t.Run(tt.query, func(t *testing.T) {
			if got := violationsOf(t, Query(tt.query, &v2.WatchParticipantsRequest{})); got != tt.want {
				t.Errorf("faults = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPath(t *testing.T) {
	for _, tt := range []struct{ name, id, already, want string }{
		{"set", "conf_1", "", ""},
		{"the same again", "conf_1", "conf_1", ""},
		{"another", "conf_1", "conf_2", "conference_id: agree"},
		{"no UTF-8", "\xff", "", "conference_id: type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			request := &v2.AddParticipantRequest{ConferenceId: tt.already}
			if got := violationsOf(t, Path(map[string]string{"conference_id": tt.id}, request)); got != tt.want {
				t.Errorf("faults = %q, want %q", got, tt.want)
			}
			if tt.want == "" && request.GetConferenceId() != tt.id {
				t.Errorf("conference_id = %q, want %q", request.GetConferenceId(), tt.id)
			}
		})
	}
}

// A body of unknown length has a declared type that matters only if something is sent.
func TestTypeOfABodyOfUnknownLength(t *testing.T) {
	for _, tt := range []struct {
		contentType, body string
		want              apierror.Reason
	}{
		{"application/x-www-form-urlencoded", "", ""},
		{"application/x-www-form-urlencoded", "{}", apierror.MediaType},
		{"application/json", "{}", ""},
		{"", "{}", ""},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader(tt.body)))
		r.Header.Set("Content-Type", tt.contentType)
		_, err := Request(httptest.NewRecorder(), r, nil, &v2.MuteParticipantRequest{})
		if refused, _ := errors.AsType[*apierror.Error](err); (refused == nil) != (tt.want == "") || refused != nil && refused.Reason != tt.want {
			t.Errorf("%q %q: %v", tt.contentType, tt.body, err)
		}
	}
}

func TestEveryRequestFieldCanBeParsed(t *testing.T) {
	methods := v2.File_audian_conference_v2_participant_service_proto.Services().Get(0).Methods()
	texts := map[protoreflect.Kind]string{
		protoreflect.StringKind: "x", protoreflect.BoolKind: "true", protoreflect.Int32Kind: "1",
		protoreflect.EnumKind: "", protoreflect.MessageKind: "5s",
	}
	for i := range methods.Len() {
		fields := methods.Get(i).Input().Fields()
		for j := range fields.Len() {
			if isObject(fields.Get(j)) {
				continue // TestJSONObjects decodes them.
			}
			if _, problem := parse(fields.Get(j), texts[fields.Get(j).Kind()]); problem != "" {
				t.Errorf("%s %s", fields.Get(j).FullName(), problem)
			}
		}
	}
}
