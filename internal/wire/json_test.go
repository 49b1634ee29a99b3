package wire

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

const johnJSON = `{"id":"part_xyz789","conference_id":"conf_abc123def456","phone_number":"+12025551234","name":"John Smith",` +
	`"role":"presenter","status":"connected","muted":false,"duration":245,"joined_at":"2024-02-04T12:00:00Z","created_at":"2024-02-04T11:59:00Z"}`

const nobodyJSON = `{"id":"","conference_id":"","phone_number":"","name":"","role":"","status":"","muted":false,"duration":0,"joined_at":null,"created_at":null}`

func TestMarshal(t *testing.T) {
	for _, tt := range []struct {
		name string
		from proto.Message
		want string
	}{
		{"participant", Participant(john()), johnJSON},
		{"every field is present", &v2.Participant{}, nobodyJSON},
		{
			"unknown status and role", Participant(participant.Participant{Status: "ringing", Role: "host", Name: `<"&>` + "\n\u2028"}),
			strings.NewReplacer(`"status":""`, `"status":"ringing"`, `"role":""`, `"role":"host"`, `"name":""`, `"name":"<\"&>\n\u2028"`).Replace(nobodyJSON),
		},
		{
			"times are UTC", &v2.Participant{JoinedAt: timestamppb.New(time.Date(2024, 2, 4, 12, 0, 0, 5e8, time.FixedZone("", 3600)))},
			strings.Replace(nobodyJSON, `"joined_at":null`, `"joined_at":"2024-02-04T11:00:00.5Z"`, 1),
		},
		{"response of an add", &v2.AddParticipantResponse{Participant: Participant(john())}, johnJSON},
		{"response of a remove", &v2.RemoveParticipantResponse{}, ""},
		{"empty list", &v2.ListParticipantsResponse{}, `{"participants":[],"total":0,"active":0,"next_page_token":""}`},
		{
			"list", &v2.ListParticipantsResponse{Participants: []*v2.Participant{Participant(john())}, Total: 2, Active: 1, NextPageToken: "p"},
			`{"participants":[` + johnJSON + `],"total":2,"active":1,"next_page_token":"p"}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Marshal(tt.from)
			if err != nil || string(got) != tt.want {
				t.Errorf("Marshal() = %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
}

func TestMarshalRefusesOtherMessages(t *testing.T) {
	for _, from := range []proto.Message{nil, (*v2.Participant)(nil), &v2.AddParticipantResponse{}, &emptypb.Empty{}} {
		if got, err := Marshal(from); err == nil {
			t.Errorf("Marshal(%T) = %s, want an error", from, got)
		}
	}
}

func TestMarshalRefusesInvalidUTF8(t *testing.T) {
	for _, from := range []proto.Message{
		&v2.Participant{Name: "\xff"},
		&v2.ListParticipantsResponse{NextPageToken: "a\xff"},
		&v2.WatchParticipantsResponse{ResumeToken: "\xe4"},
		&v2.BatchAddParticipantsResponse{Event: &v2.BatchAddParticipantsResponse_Result{Result: &v2.BatchResult{
			Outcome: &v2.BatchResult_Participant{Participant: &v2.Participant{Id: "\xff"}},
		}}},
	} {
		if got, err := Marshal(from); err == nil {
			t.Errorf("Marshal(%v) = %s, want an error", from, got)
		}
	}
}

func TestMarshalEvents(t *testing.T) {
	ringing := with(func(p *participant.Participant) { p.Status, p.Role = "ringing", "host" })
	ringingJSON := strings.NewReplacer("presenter", "host", "connected", "ringing").Replace(johnJSON)
	for _, tt := range []struct {
		name string
		from *watch.Message
		want string
	}{
		{
			"snapshot", &watch.Message{Token: "t1", Snapshot: &watch.Snapshot{
				Participants: []participant.Participant{john()}, Total: 2, Active: 1, Reason: watch.ResumeExpired, ObservedAt: noon,
			}},
			`{"resume_token":"t1","snapshot":{"participants":[` + johnJSON + `],"total":2,"active":1,"reason":"resume_expired","observed_time":"2024-02-04T12:00:00Z"}}`,
		},
		{
			"changes", &watch.Message{Token: "t2", Changes: &watch.Changes{NotBefore: noon, NotAfter: noon.Add(1500 * time.Millisecond), Changes: []watch.Change{
				{Kind: watch.Added, Participant: john(), ByWrite: true},
				{Kind: watch.Updated, Participant: ringing, Before: new(john())},
				{Kind: watch.Removed, Participant: ringing, Before: &ringing},
			}}},
			`{"resume_token":"t2","changes":{"changes":[` +
				`{"kind":"added","participant":` + johnJSON + `,"previous_status":null,"changed_fields":[],"source":"gateway_write"},` +
				`{"kind":"updated","participant":` + ringingJSON + `,"previous_status":"connected","changed_fields":["role","status"],"source":"poll"},` +
				`{"kind":"removed","participant":` + ringingJSON + `,"previous_status":"ringing","changed_fields":[],"source":"poll"}` +
				`],"not_before":"2024-02-04T12:00:00Z","not_after":"2024-02-04T12:00:01.5Z"}}`,
		},
		{
			"checkpoint before the first snapshot", &watch.Message{Checkpoint: &watch.Checkpoint{
				Stale: true, StaleReason: apierror.UpstreamUnreachable, PollInterval: 1500 * time.Millisecond,
			}},
			`{"resume_token":"","checkpoint":{"freshness":"stale","last_success_time":null,"stale_reason":"UPSTREAM_UNREACHABLE","total":null,"active":null,"participant_count":null,"poll_interval":"1.5s"}}`,
		},
		{
			"checkpoint", &watch.Message{Token: "t3", Checkpoint: &watch.Checkpoint{
				LastSuccess: noon, PollInterval: time.Second, Counts: &watch.Counts{Total: 3, Active: 2, Visible: 0},
			}},
			`{"resume_token":"t3","checkpoint":{"freshness":"fresh","last_success_time":"2024-02-04T12:00:00Z","stale_reason":"","total":3,"active":2,"participant_count":0,"poll_interval":"1s"}}`,
		},
		{"end", &watch.Message{Token: "t4", End: &watch.End{}}, `{"resume_token":"t4","end":{"reason":"conference_gone"}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Marshal(response(tt.from))
			if err != nil || string(got) != tt.want {
				t.Errorf("Marshal() = %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
}

func TestJSONFieldsAreUnique(t *testing.T) {
	got := jsonFields([]string{"muted", "raw_role", "raw_status", "role", "status"})
	if fmt.Sprint(got) != "[muted role status]" {
		t.Errorf("jsonFields() = %q", got)
	}
}

func BenchmarkMarshalList(b *testing.B) {
	list := &v2.ListParticipantsResponse{Total: 1000, Active: 1000}
	for i := range 1000 {
		list.Participants = append(list.Participants, Participant(with(func(p *participant.Participant) {
			p.ID = fmt.Sprintf("part_%d", i)
		})))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Marshal(list); err != nil {
			b.Fatal(err)
		}
	}
}
