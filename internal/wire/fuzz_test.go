package wire

import (
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

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
