package audian

import (
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// FuzzDecodePage holds that no body makes the decoder panic, and that what it decodes
// can be sent on: protobuf refuses strings that are not valid UTF-8.
func FuzzDecodePage(f *testing.F) {
	f.Add([]byte(`{"participants":[` + person + `],"total":1,"active":0}`))
	f.Add([]byte(`{"data":[` + person + `],"next_start_key":"k","tokens":{"remaining":3},"status":"success"}`))
	f.Add([]byte(`{"data":{"message":"field required"},"error":"400","message":"bad_request","status":"error"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		checkEnvelope(t, body)
		body, e, ok := readDocument(body)
		if !ok {
			return
		}
		e.remaining()
		valid(t, e.errorBody().message)
		p, err := decodePage(e, maxItems, func(string) {})
		if err != nil {
			return
		}
		valid(t, p.next)
		for _, item := range p.items {
			if item.ID == "" {
				t.Error("an item without an id")
			}
			valid(t, item.ID, item.PhoneNumber, item.Name, string(item.Role), string(item.Status))
		}
		_, _ = decodeParticipant(e, body, func(string) {})
	})
}

// checkEnvelope compares readEnvelope with the JSON package.
func checkEnvelope(t *testing.T, body []byte) {
	t.Helper()
	e, ok := readEnvelope(body)
	var decoded map[string]jsontext.Value
	if err := json.Unmarshal(body, &decoded, tolerant); ok != (err == nil && decoded != nil) {
		t.Fatalf("read %q as an object: %t, but %v, %v", body, ok, decoded, err)
	}
	names := []string{
		"id", "participants", "total", "active", "next_start_key", "data", "auth_token", "status", "success", "error", "code",
		"type", "param", "message", "request_id", "tokens",
	}
	if fields := reflect.TypeFor[envelope]().NumField(); fields != len(names) {
		t.Fatalf("an envelope has %d fields, want %d", fields, len(names))
	}
	for _, name := range names {
		if got := *memberOf(&e, []byte(name)); ok && string(got) != string(decoded[name]) {
			t.Errorf("%s is %s, want %s", name, got, decoded[name])
		}
	}
}

func valid(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !utf8.ValidString(s) {
			t.Errorf("%q is not valid UTF-8", s)
		}
	}
}
