package terminal

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/audian/participant-gateway/client"
	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

const (
	dialing   = v2.ParticipantStatus_PARTICIPANT_STATUS_DIALING
	connected = v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED
)

// roster returns a roster of participants whose names are their ids.
func roster(status v2.ParticipantStatus, ids ...string) map[string]*v2.Participant {
	found := map[string]*v2.Participant{}
	for _, id := range ids {
		found[id] = &v2.Participant{Id: id, Name: "name of " + id, PhoneNumber: "+12025550100", Status: status}
	}
	return found
}

// states are one state of each kind.
func states() []client.State {
	ada, raw := roster(connected, "ada")["ada"], "ringing"
	ada.Muted = true
	total, active := int32(3), int32(1)
	return []client.State{
		{Kind: client.KindSnapshot, Roster: roster(dialing, "bob", "ada"), Fresh: true, Total: &total, Active: &active, SnapshotReason: v2.SnapshotReason_SNAPSHOT_REASON_INITIAL},
		{Kind: client.KindChanges, Roster: map[string]*v2.Participant{"ada": ada}, Fresh: true, Changes: []*v2.ParticipantChange{
			{Kind: v2.ChangeKind_CHANGE_KIND_UPDATED, Participant: ada, PreviousStatus: dialing.Enum(), ChangedFields: []string{"muted", "status"}},
			{Kind: v2.ChangeKind_CHANGE_KIND_REMOVED, Participant: &v2.Participant{Id: "bob", RawStatus: &raw}, PreviousStatus: dialing.Enum()},
		}},
		{Kind: client.KindFreshness, StaleReason: "UPSTREAM_TIMEOUT"},
		{Kind: client.KindFreshness, Fresh: true},
		{Kind: client.KindDisconnected, StaleReason: client.StaleDisconnected, Err: &client.Error{Code: codes.Unavailable, Reason: "DRAINING", Message: "stops"}},
		{Kind: client.KindEnd, Fresh: true, EndReason: v2.WatchEndReason_WATCH_END_REASON_CONFERENCE_GONE},
	}
}

func TestLinesOfStates(t *testing.T) {
	var lines []string
	for _, state := range states() {
		lines = append(lines, linesOf(state)...)
	}
	want := []string{
		"snapshot\tinitial\t2",
		"present\tada\tdialing\tname of ada\t+12025550100",
		"present\tbob\tdialing\tname of bob\t+12025550100",
		"updated\tada\tdialing > connected\tname of ada\t+12025550100\tmuted",
		"removed\tbob\tdialing > ringing",
		"stale\tUPSTREAM_TIMEOUT",
		"fresh",
		"disconnected\tstops (DRAINING)",
		"end\tconference_gone",
	}
	if got := strings.Join(lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestJSONOfStates(t *testing.T) {
	var out bytes.Buffer
	for _, state := range states() {
		if err := (jsonDisplay{&out}).show(state); err != nil {
			t.Fatal(err)
		}
	}
	for i, parts := range [][]string{
		{`"state":"snapshot"`, `"reason":"initial"`, `"participants":[{"id":"ada"`, `"participant_count":2`, `"total":3,"active":1`, `"fresh":true`},
		{`"state":"changes"`, `{"kind":"updated","participant":{"id":"ada"`, `"previous_status":"dialing","changed_fields":["muted","status"]`, `"status":"ringing"`},
		{`"state":"freshness"`, `"fresh":false,"stale_reason":"UPSTREAM_TIMEOUT"`},
		{`"state":"freshness"`, `"fresh":true`},
		{`"state":"disconnected"`, `"error":{"code":"UNAVAILABLE","reason":"DRAINING","message":"stops"}`},
		{`"state":"end","reason":"conference_gone"`},
	} {
		line, err := out.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range parts {
			if !strings.Contains(line, part) {
				t.Errorf("line %d has no %s: %s", i, part, line)
			}
		}
	}
}

func TestScreenShowsWhatFits(t *testing.T) {
	s := &screen{conference: "conf\x1b[2J", colored: true}
	shown := roster(connected, "a", "b", "c", "d")
	lines := s.lines(frame{people: people(shown), changed: []string{"b"}, trouble: "STALE"}, 60, 6)
	if len(lines) != 5 {
		t.Fatalf("%d lines on a screen of 6:\n%s", len(lines), strings.Join(lines, "\n"))
	}
	for i, want := range []string{"conf?[2J", "PARTICIPANT", "a ", bold + "b ", "… and 2 more"} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d is %q, without %q", i, lines[i], want)
		}
	}
	if !strings.HasPrefix(lines[0], red) || !strings.Contains(lines[0], "STALE") {
		t.Errorf("a stale conference has the title %q", lines[0])
	}
	for _, line := range (&screen{}).lines(frame{people: people(shown)}, 20, 24) {
		if columns(line) > 20 || strings.Contains(line, "\x1b") {
			t.Errorf("a line of %d columns on a screen of 20 without colours: %q", columns(line), line)
		}
	}
}

func TestDescribeNamesWhatTheUserCanDo(t *testing.T) {
	err := &client.Error{
		Code: codes.InvalidArgument, Message: "invalid", Reason: "INVALID_FIELDS", Dialled: client.DialledUnknown, RetryDelay: 2e9,
		FieldViolations: []client.FieldViolation{{Field: "name", Description: "must be short"}},
	}
	if got, want := describe(err).Error(), "invalid (INVALID_FIELDS); name: must be short; the phone may be ringing; try again in 2s"; got != want {
		t.Errorf("got %q", got)
	}
}
