package audian

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// TestW07_OneInvalidFieldDoesNotBreakTheList sends an invalid field in one of two participants:
// the whole list is still decoded, and the field as far as possible.
func TestW07_OneInvalidFieldDoesNotBreakTheList(t *testing.T) {
	name := func(i participant.Item) string { return i.Name }
	phone := func(i participant.Item) string { return i.PhoneNumber }
	muted := func(i participant.Item) string {
		if !i.Fields.Has(participant.FieldMuted) {
			return "missing"
		}
		return map[bool]string{true: "yes", false: "no"}[i.Muted]
	}
	joined := func(i participant.Item) string { return i.JoinedAt.Format(time.RFC3339Nano) }
	created := func(i participant.Item) string { return i.CreatedAt.Format(time.RFC3339Nano) }
	never := time.Time{}.Format(time.RFC3339Nano)
	for given, test := range map[string]struct {
		of   func(participant.Item) string
		want string
	}{
		`"name":"Bob \ud83d"`:                                       {name, "Bob \uFFFD"},
		`"name":"\ude00 Bob"`:                                       {name, "\uFFFD Bob"},
		`"name":"\ud83d\u0041"`:                                     {name, "\uFFFDA"},
		`"name":"\ud83d\ude00"`:                                     {name, "\U0001F600"},
		"\"name\":\"Bo\xff\"":                                       {name, "Bo\uFFFD"},
		"\"name\":\"Bo\xe2\x82\"":                                   {name, "Bo\uFFFD\uFFFD"},
		"\"name\":\"\xed\xa0\xbd\"":                                 {name, "\uFFFD\uFFFD\uFFFD"},
		`"name":"Bo\u0000"`:                                         {name, "Bo\x00"},
		"\"name\":\"Bo\x00b\x1f\"":                                  {name, "Bo\uFFFDb\uFFFD"},
		"\"name\":\"Bo\tb\n\"":                                      {name, "Bo b "},
		`"x":1,"x":{"y":1,"y":2},"name":"Bob"`:                      {name, "Bob"},
		"\"\xff\":1,\"\\ud800\":2,\"name\":\"Bob\"":                 {name, "Bob"},
		`"name":"Al","name":"Bob"`:                                  {name, "Bob"},
		`"name":7,"name":"Bob"`:                                     {name, "Bob"},
		`"id":7,"name":"Bob","id":"part_2"`:                         {name, "Bob"},
		`"status":1,"name":"Bob","status":"held"`:                   {name, "Bob"},
		`"phone_number":12025551234`:                                {phone, "12025551234"},
		`"phone_number":1.2025551234e10`:                            {phone, "12025551234"},
		`"muted":"true"`:                                            {muted, "yes"},
		`"muted":"True"`:                                            {muted, "yes"},
		`"muted":1`:                                                 {muted, "yes"},
		`"muted":"1"`:                                               {muted, "yes"},
		`"muted":"false"`:                                           {muted, "no"},
		`"muted":0`:                                                 {muted, "no"},
		`"muted":true,"muted":"maybe"`:                              {muted, "missing"},
		`"muted":true,"muted":null`:                                 {muted, "missing"},
		`"name":"Al","name":null`:                                   {name, ""},
		`"phone_number":"1","phone_number":null`:                    {phone, ""},
		`"joined_at":"2026-01-02T03:04:05Z","joined_at":null`:       {joined, never},
		`"joined_at":"2026-01-02T03:04:05Z","joined_at":"tomorrow"`: {joined, never},
		`"created_at":"2026-01-02T03:04:05Z","created_at":null`:     {created, never},
		`"joined_at":"2026-01-02t03:04:05z"`:                        {joined, "2026-01-02T03:04:05Z"},
		`"joined_at":"2026-01-02T03:04:05.25+14:00"`:                {joined, "2026-01-01T13:04:05.25Z"},
		`"joined_at":"2026-01-02t03:04:05-23:59"`:                   {joined, "2026-01-03T03:03:05Z"},
		`"joined_at":"2026-01-02 03:04:05-00:00"`:                   {joined, "2026-01-02T03:04:05Z"},
		`"joined_at":"2016-12-31T23:59:60Z"`:                        {joined, "2017-01-01T00:00:00Z"},
		`"joined_at":"2016-12-31t15:59:60.5-08:00"`:                 {joined, "2017-01-01T00:00:00.5Z"},
		`"joined_at":"2026-01-02T03:04:05.123456789z"`:              {joined, "2026-01-02T03:04:05.123456789Z"},
		`"joined_at":"2026-01-02T03:04:61Z"`:                        {joined, never},
	} {
		t.Run(given, func(t *testing.T) {
			items := `[{"id":"part_1"},{"id":"part_2",` + given + `}]`
			for _, body := range []string{
				`{"participants":` + items + `,"total":2}`,
				"\ufeff" + `{"data":` + items + `,"total":"2","z":1,"z":2}`,
				`{"data":{"participants":` + items + `,"total":7,"total":2},"q":"\ud800","status":"success"}`,
			} {
				list, err := client(t, always(200, body)).List(t.Context(), "c", Pacing{})
				if err != nil || len(list.Items) != 2 || !list.Complete() {
					t.Fatalf("%s: got %+v, %v", body, list, err)
				}
				if got := test.of(list.Items[1]); got != test.want {
					t.Errorf("%s: got %q, want %q", body, got, test.want)
				}
			}
			added := strings.TrimSuffix(strings.TrimPrefix(items, `[{"id":"part_1"},`), "]")
			for _, body := range []string{added, "\ufeff" + `{"data":` + added + `,"q":1,"q":2}`} {
				item, err := client(t, always(200, body)).Add(t.Context(), "c", participant.Add{}, Pacing{})
				if err != nil || item.ID != "part_2" || test.of(item) != test.want {
					t.Errorf("add: %s: got %+v, %v", body, item, err)
				}
			}
		})
	}
}

// TestA05_AnErrorBodyWithMoreAfterItIsNotTheVendors sends what a proxy that adds to a body returns.
func TestA05_AnErrorBodyWithMoreAfterItIsNotTheVendors(t *testing.T) {
	const body = `{"error":{"code":404,"message":"Bob"},"status":"error"}`
	for _, after := range []string{body, "<html>", "}", "\x01"} {
		_, err := client(t, always(http.StatusNotFound, body+after)).List(t.Context(), "c", Pacing{})
		if e := apiError(t, err); e.Reason != apierror.UpstreamUnavailable || e.FromUpstream {
			t.Errorf("%q after the body: got %+v", after, e)
		}
	}
}

// TestA05_UnusualErrorBodiesAreDecoded sends error bodies with the same irregularities.
func TestA05_UnusualErrorBodiesAreDecoded(t *testing.T) {
	for _, body := range []string{
		"\ufeff" + `{"error":"404","message":"Bob","status":"error"}`,
		`{"error":"404","message":"Al","message":"Bob","x":1,"x":2,"status":"error"}`,
		`{"data":{"message":"Bob","message":"Bob"},"error":404,"status":"error"}`,
		`{"success":"false","message":"Bob"}`,
		`{"success":0,"message":"Bob","x":"\ud800"}`,
		"{\"error\":{\"code\":\"404\",\"message\":\"B\x01ob\",\"type\":\"\xff\"}}",
	} {
		_, err := client(t, always(http.StatusNotFound, body)).List(t.Context(), "c", Pacing{})
		e := apiError(t, err)
		if e.Reason != apierror.ConferenceNotFound || !e.FromUpstream || strings.ReplaceAll(e.Message, "\uFFFD", "") != "Bob" {
			t.Errorf("%s: got %+v", body, e)
		}
	}
}
