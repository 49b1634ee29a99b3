package terminal

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

func TestParsePeople(t *testing.T) {
	ada := &v2.BatchEntry{PhoneNumber: "+12025550100", Name: "Ada, Countess", Role: v2.ParticipantRole_PARTICIPANT_ROLE_PRESENTER}
	bob := &v2.BatchEntry{PhoneNumber: "+12025550101"}
	muted := &v2.BatchEntry{PhoneNumber: "+12025550101", Muted: true, SendPinViaSms: true}
	for name, test := range map[string]struct {
		text string
		want []*v2.BatchEntry
	}{
		"no names of columns":   {"+12025550100,\"Ada, Countess\",presenter\n+12025550101\n", []*v2.BatchEntry{ada, bob}},
		"names of columns":      {"role,phone_number,name\npresenter,+12025550100,\"Ada, Countess\"\n,+12025550101,\n", []*v2.BatchEntry{ada, bob}},
		"booleans":              {"phone_number,muted,send_pin_via_sms\n+12025550101,true,1\n+12025550101,,false\n", []*v2.BatchEntry{muted, bob}},
		"a spreadsheet's file":  {"\xef\xbb\xbfphone_number;name\r\n+12025550101;\r\n", []*v2.BatchEntry{bob}},
		"comments, empty lines": {"# people\n\n+12025550101\n", []*v2.BatchEntry{bob}},
	} {
		got, lines, err := parsePeople(strings.NewReader(test.text))
		if err != nil || len(got) != len(test.want) || len(lines) != len(got) {
			t.Errorf("%s: got %v in lines %v, %v", name, got, lines, err)
			continue
		}
		for i := range got {
			if !proto.Equal(got[i], test.want[i]) {
				t.Errorf("%s: entry %d is %v, want %v", name, i, got[i], test.want[i])
			}
		}
	}
}

func TestParsePeopleNamesEveryWrongLine(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"an unknown column":   {"phone_number,nickname\n", `line 1: unknown column "nickname"`},
		"a column twice":      {"phone_number,name,name\n", "line 1: the column name is given twice"},
		"an unknown role":     {"+1,Ada,boss\n+2,Bob,Presenter\n", "line 1: role: role \"boss\" is not presenter, listener or operator\nline 2: role: role \"Presenter\""},
		"a wrong boolean":     {"phone_number,muted\n+1,maybe\n", `line 2: muted: "maybe" is not true or false`},
		"too many fields":     {"+1,Ada,listener,true\n", "line 1: 4 fields, but 3 columns"},
		"nobody":              {"phone_number\n", "the file has no people"},
		"a quote without end": {"\"+1\n", "read the CSV: "},
		"an empty file":       {"", "the file has no people"},
	} {
		if _, _, err := parsePeople(strings.NewReader(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}
