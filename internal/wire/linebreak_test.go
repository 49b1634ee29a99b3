package wire

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

// breaking contains every character at which some line reader splits.
const breaking = "a\u0085b\u2028c\u2029d\ne\rf\vg\fh\x1ci\x1ej"

// isOneLine reports whether a text contains no line breaks.
func isOneLine(text []byte) bool {
	return !bytes.ContainsFunc(text, breaksField)
}

func TestJSONIsOneLine(t *testing.T) {
	person := participant.Participant{ID: breaking, Name: breaking, Status: breaking, Role: breaking}
	message := NewMessage(&watch.Message{Token: breaking, Snapshot: &watch.Snapshot{Participants: []participant.Participant{person}}})
	for name, encode := range map[string]func() ([]byte, error){
		"participant": func() ([]byte, error) { return Marshal(Participant(person)) },
		"list": func() ([]byte, error) {
			return Marshal(&v2.ListParticipantsResponse{Participants: []*v2.Participant{Participant(person)}})
		},
		"event":       message.JSON,
		"proto3 JSON": message.ProtoJSON,
	} {
		encoded, err := encode()
		if err != nil || !isOneLine(encoded) {
			t.Errorf("%s: %q, %v", name, encoded, err)
		}
		var read any
		if err := json.Unmarshal(encoded, &read); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(flat(read), breaking) {
			t.Errorf("%s: the text has changed", name)
		}
	}
	block, err := message.SSE()
	if lines := bytes.Split(block, []byte("\n")); err != nil || len(lines) != 4 || !isOneLine(lines[0]) || !isOneLine(lines[1]) {
		t.Errorf("SSE() = %q, %v", block, err)
	}
}

// flat returns all text of a JSON value.
func flat(value any) string {
	var text strings.Builder
	switch v := value.(type) {
	case string:
		text.WriteString(v)
	case []any:
		for _, one := range v {
			text.WriteString(flat(one))
		}
	case map[string]any:
		for _, one := range v {
			text.WriteString(flat(one))
		}
	}
	return text.String()
}

// It releases the parts of a large message as gRPC's transport does.
func TestW12_EachSentPartIsProgress(t *testing.T) {
	source := initial()
	source.Token = strings.Repeat("t", 10*PartSize)
	passed := 0
	m := NewMessage(source).OnProgress(func() { passed++ })
	encoded, err := m.Proto()
	if err != nil {
		t.Fatal(err)
	}
	sent, err := Codec().Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	reader := sent.Reader()
	sent.Free() // As SendMsg does when it returns.
	read := make([]byte, len(encoded))
	for at := 0; at < len(read); {
		n, err := reader.Read(read[at:min(len(read), at+1000)])
		if err != nil {
			t.Fatal(err)
		}
		at += n
		if want := at / PartSize; passed < want-1 || passed > want {
			t.Fatalf("after %d bytes %d parts were reported", at, passed)
		}
	}
	if !bytes.Equal(read, encoded) || !bytes.Equal(encoded, mustProto(t, source)) {
		t.Error("the bytes have changed")
	}
	small := NewMessage(initial()).OnProgress(func() { t.Error("a message of one part has no progress") })
	if buffers, err := Codec().Marshal(small); err != nil || len(buffers) != 1 {
		t.Errorf("%d buffers, %v", len(buffers), err)
	} else if _, isPlain := buffers[0].(mem.SliceBuffer); !isPlain {
		t.Errorf("got %T", buffers[0])
	}
}

func mustProto(t *testing.T, m *watch.Message) []byte {
	t.Helper()
	encoded, err := proto.Marshal(response(m))
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}
