package wire

import (
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

// checkDecoded fails unless a request was read into something that gRPC can carry,
// or refused with an error that names the fields.
func checkDecoded(t *testing.T, request proto.Message, err error) {
	t.Helper()
	if err == nil {
		if _, err := proto.Marshal(request); err != nil {
			t.Fatalf("the request cannot be sent: %v", err)
		}
		return
	}
	if refused := faultsOf(t, err); refused == "" {
		t.Fatalf("%v names no field", err)
	}
}

func FuzzDecodeBody(f *testing.F) {
	for _, seed := range []string{
		`{"phone_number":"+12025551234","name":"John","role":"presenter","muted":false}`, `{"a":[{"b":null}],"name":1}`, `{"name":"a","name":"b"}`, `{`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var request v2.AddParticipantRequest
		err := DecodeBody(body, &request)
		checkDecoded(t, &request, err)
	})
}

func FuzzDecodeQuery(f *testing.F) {
	for _, seed := range []string{"statuses=connected&page_size=5", "heartbeat_interval=5s", "x=%ff&%fe", "resume_token=a&resume_token=b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var list v2.ListParticipantsRequest
		err := DecodeQuery(text, &list)
		checkDecoded(t, &list, err)
		var watched v2.WatchParticipantsRequest
		err = DecodeQuery(text, &watched)
		checkDecoded(t, &watched, err)
	})
}

func FuzzMarshal(f *testing.F) {
	f.Add("conf", "John", "ringing", "host", "token", int64(5))
	f.Add("\xff", "\u2028\r\n", "", "presenter", "a\nb", int64(-1))
	f.Fuzz(func(t *testing.T, id, name, status, role, token string, length int64) {
		person := participant.Participant{ID: id, Name: name, Status: participant.Status(status), Role: participant.Role(role), Duration: int32(length)}
		m := NewMessage(&watch.Message{Token: token, Snapshot: &watch.Snapshot{Participants: []participant.Participant{person}}})
		encoded, err := m.JSON()
		if err != nil || !jsontext.Value(encoded).IsValid() || !utf8.Valid(encoded) {
			t.Fatalf("JSON() = %s, %v", encoded, err)
		}
		for _, char := range encoded {
			if char == '\n' || char == '\r' {
				t.Fatalf("JSON() = %q, not one line", encoded)
			}
		}
		if _, err := m.Proto(); err != nil {
			t.Fatalf("Proto(): %v", err)
		}
	})
}
