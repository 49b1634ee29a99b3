package audian

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// decode reads a page and the names of the fields that were unexpected.
func decode(body string) (p page, unexpected []string, err error) {
	_, e, ok := readDocument([]byte(body))
	if !ok {
		return page{}, nil, errTooLarge
	}
	p, err = decodePage(e, maxItems, func(field string) { unexpected = append(unexpected, field) })
	return p, unexpected, err
}

func TestW08_MissingFieldsAreNotSet(t *testing.T) {
	joined := time.Date(2024, 2, 4, 11, 15, 30, 0, time.UTC)
	for name, test := range map[string]struct {
		item       string
		want       participant.Item
		unexpected []string
	}{
		"all": {
			item: `{"id":"p","conference_id":"x","phone_number":"+1","name":"N","role":"listener","status":"held","muted":true,` +
				`"duration":245,"joined_at":"2024-02-04T12:15:30+01:00","created_at":"2024-02-04T11:15:30Z"}`,
			want: participant.Item{Fields: participant.AllFields, Participant: participant.Participant{
				ID: "p", PhoneNumber: "+1", Name: "N", Role: "listener", Status: "held", Muted: true, Duration: 245,
				JoinedAt: joined, CreatedAt: joined,
			}},
		},
		"nothing": {item: `{"id":"p"}`, want: participant.Item{Participant: participant.Participant{ID: "p"}}},
		"null is missing, but for joined_at": {
			item: `{"id":"p","phone_number":null,"name":null,"role":null,"status":null,"muted":null,"duration":null,"joined_at":null,"created_at":null}`,
			want: participant.Item{Fields: participant.FieldJoinedAt, Participant: participant.Participant{ID: "p"}},
		},
		"wrong types": {
			item:       `{"id":"p","phone_number":[],"name":[],"role":{},"muted":"yes","duration":"long","joined_at":7,"created_at":true}`,
			want:       participant.Item{Participant: participant.Participant{ID: "p"}},
			unexpected: []string{"phone_number", "name", "role", "muted", "duration", "joined_at", "created_at"},
		},
		"unknown words and members": {
			item: `{"id":"p","status":"lobby","role":"guest","x":{"y":[1]}}`,
			want: participant.Item{
				Fields:      participant.FieldStatus | participant.FieldRole,
				Participant: participant.Participant{ID: "p", Status: "lobby", Role: "guest"},
			},
		},
		"no times": {
			item:       `{"id":"p","joined_at":"yesterday","created_at":"0000-01-01T00:00:00Z"}`,
			want:       participant.Item{Participant: participant.Participant{ID: "p"}},
			unexpected: []string{"joined_at", "created_at"},
		},
		"escaped": {
			item: `{"\u0069d":"p\u00e9\n","muted":false}`,
			want: participant.Item{Fields: participant.FieldMuted, Participant: participant.Participant{ID: "pé\n"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, unexpected, err := decode(`{"participants":[` + test.item + `]}`)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(p.items, []participant.Item{test.want}) {
				t.Errorf("got %+v, want %+v", p.items, test.want)
			}
			if !slices.Equal(unexpected, test.unexpected) {
				t.Errorf("unexpected %v, want %v", unexpected, test.unexpected)
			}
		})
	}
}

func TestDurations(t *testing.T) {
	for number, want := range map[string]int32{
		"0": 0, "245": 245, "245.0": 245, "1e2": 100, "2147483647": 2147483647, "-1": -1,
		"1.5": 1, "0.999": 0, "2147483647.9": 2147483647, `"245"`: 245, `"245.7"`: 245,
	} {
		p, _, err := decode(`{"participants":[{"id":"p","duration":` + number + `}]}`)
		if err != nil || p.items[0].Duration != want || p.items[0].Fields != participant.FieldDuration {
			t.Errorf("%s: %+v, %v", number, p.items, err)
		}
	}
	for _, number := range []string{"2147483648", "-2147483649", "1e400", `""`, `"1 s"`, `"NaN"`, `"-Inf"`, "true"} {
		p, unexpected, err := decode(`{"participants":[{"id":"p","duration":` + number + `}]}`)
		if err != nil || p.items[0].Fields != 0 || p.items[0].Duration != 0 || len(unexpected) != 1 {
			t.Errorf("%s: %+v, %v, %v", number, p.items, unexpected, err)
		}
	}
}

func TestW07_Shapes(t *testing.T) {
	one, two, none := 1, 2, (*int)(nil)
	for name, test := range map[string]struct {
		body          string
		items         int
		total, active *int
		next          string
	}{
		"bare":                 {`{"participants":[{"id":"a"}],"total":1,"active":1}`, 1, &one, &one, ""},
		"bare, another page":   {`{"participants":[{"id":"a"}],"next_start_key":"k"}`, 1, none, none, "k"},
		"wrapped":              {`{"data":{"participants":[{"id":"a"}],"total":1},"status":"success"}`, 1, &one, none, ""},
		"wrapped, key outside": {`{"data":{"participants":[]},"next_start_key":"k"}`, 0, none, none, "k"},
		"wrapped, key inside":  {`{"data":{"participants":[],"next_start_key":7}}`, 0, none, none, "7"},
		"data is the array":    {`{"data":[{"id":"a"},{"id":"b"}],"page_size":2,"next_start_key":null}`, 2, none, none, ""},
		"smallest total":       {`{"total":2,"active":1,"data":{"participants":[],"total":1,"active":2}}`, 0, &one, &one, ""},
		"a null list beside":   {`{"participants":null,"data":[{"id":"a"}]}`, 1, none, none, ""},
		"counts as strings":    {`{"participants":[],"total":"2","active":"1"}`, 0, &two, &one, ""},
		"no counts":            {`{"participants":[],"total":true,"active":-1}`, 0, none, none, ""},
		"a status of success":  {`{"participants":[{"id":"a"},{"id":"b"}],"status":"success","total":2}`, 2, &two, none, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, _, err := decode(test.body)
			if err != nil {
				t.Fatal(err)
			}
			if len(p.items) != test.items || p.next != test.next ||
				!reflect.DeepEqual(p.total, test.total) || !reflect.DeepEqual(p.active, test.active) {
				t.Errorf("got %+v", p)
			}
		})
	}
}

func TestW07_Undecodable(t *testing.T) {
	for name, body := range map[string]string{
		"no list":                 `{"total":0}`,
		"null, and somebody":      `{"participants":null,"total":1}`,
		"null, and another page":  `{"participants":null,"next_start_key":"k"}`,
		"an object, and somebody": `{"data":{"participants":{}},"total":"1"}`,
		"an object of somebody":   `{"participants":{"id":"a"}}`,
		"data alone is null":      `{"data":null,"status":"success"}`,
		"data alone is an object": `{"data":{},"status":"success"}`,
		"data without a list":     `{"data":{"total":0}}`,
		"a bare array":            `[{"id":"a"}]`,
		"an item that is text":    `{"participants":["a"]}`,
		"an item that is null":    `{"participants":[null]}`,
		"an id that is a number":  `{"participants":[{"id":1}]}`,
		"a status that is a flag": `{"participants":[{"id":"a","status":true}]}`,
		"an id twice, wrong last": `{"participants":[{"id":"a","id":1}]}`,
		"a body twice":            `{"participants":[]}{"participants":[]}`,
		"text after the body":     `{"participants":[{"id":"a"}],"total":1}<html>`,
		"a bracket after it":      `{"participants":[{"id":"a"}],"total":1}}`,
		"half":                    `{"participants":[{"id":"a"}`,
		"HTML":                    `<html></html>`,
		"nothing":                 ``,
		"too deep":                `{"participants":[{"id":"a","x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}]}`,
	} {
		if p, _, err := decode(body); err == nil {
			t.Errorf("%s: decoded as %+v", name, p)
		}
		list, err := client(t, always(200, body)).List(t.Context(), "c", Pacing{})
		if apierror.ReasonOf(err) != apierror.UpstreamUndecodable {
			t.Errorf("%s: listed %+v, %v", name, list, err)
		}
	}
}

func TestW07_ItemsWithoutIDCount(t *testing.T) {
	p, unexpected, err := decode(`{"participants":[{"id":"a"},{"name":"x"},{"id":null},{"id":""}]}`)
	if err != nil || len(p.items) != 1 || p.withoutID != 3 || !slices.Equal(unexpected, []string{"id", "id", "id"}) {
		t.Errorf("got %+v, %v, %v", p, unexpected, err)
	}
}
