package decode

import (
	"errors"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
)

func TestProtoJSON(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       *v2.WatchParticipantsRequest
		fields     []string
	}{
		{"empty", `{}`, &v2.WatchParticipantsRequest{}, nil},
		{
			"everything", `{"conferenceId":"c","resumeToken":"t","statuses":["PARTICIPANT_STATUS_HELD",3],"participantIds":["a","b"],"heartbeatInterval":"5s"}`,
			&v2.WatchParticipantsRequest{
				ConferenceId: "c", ResumeToken: "t", ParticipantIds: []string{"a", "b"}, HeartbeatInterval: durationpb.New(5 * time.Second),
				Statuses: []v2.ParticipantStatus{v2.ParticipantStatus_PARTICIPANT_STATUS_HELD, 3},
			}, nil,
		},
		{"the proto's own names", `{"conference_id":"c"}`, &v2.WatchParticipantsRequest{ConferenceId: "c"}, nil},
		{"null is absent", `{"resumeToken":null}`, &v2.WatchParticipantsRequest{}, nil},
		{"unknown names, all of them", `{"b":1,"conferenceId":"c","a":2}`, nil, []string{"a", "b"}},
		{"wrong types, by the proto's names", `{"conferenceId":1,"heartbeatInterval":5}`, nil, []string{"conference_id", "heartbeat_interval"}},
		{"a name from REST", `{"statuses":["held"]}`, nil, []string{"statuses"}},
		{"both names of one field", `{"conferenceId":"c","conference_id":"d"}`, nil, []string{"conference_id"}},
		{"a name twice", `{"conferenceId":"c","conferenceId":"d"}`, nil, []string{httpio.WholeBody}},
		{"nothing", ``, nil, []string{httpio.WholeBody}},
		{"null", `null`, nil, []string{httpio.WholeBody}},
		{"a list", `[]`, nil, []string{httpio.WholeBody}},
		{"more than one", `{}{}`, nil, []string{httpio.WholeBody}},
		{"invalid UTF-8", "{\"resumeToken\":\"\xff\"}", nil, []string{httpio.WholeBody}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := &v2.WatchParticipantsRequest{}
			err := ProtoJSON([]byte(tt.body), got)
			if tt.want != nil && (err != nil || !proto.Equal(got, tt.want)) {
				t.Errorf("got %v, %v", got, err)
			}
			var fields []string
			if invalid, isOurs := errors.AsType[*apierror.Error](err); isOurs {
				for _, violation := range invalid.Violations {
					fields = append(fields, violation.Field)
				}
			}
			if !slices.Equal(fields, tt.fields) {
				t.Errorf("fields = %v, want %v", fields, tt.fields)
			}
		})
	}
}
