package wire

import (
	"bytes"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/watch"
)

func joinedParts(t *testing.T, encode func() ([][]byte, error)) []byte {
	t.Helper()
	parts, err := encode()
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Join(parts, nil)
}

func TestA16_AMessageNamesItsConference(t *testing.T) {
	checkpoint := func() *watch.Message {
		return &watch.Message{Token: "t1", Checkpoint: &watch.Checkpoint{PollInterval: time.Second}}
	}
	const inner = `{"resume_token":"t1","checkpoint":{"freshness":"fresh","last_success_time":null,"stale_reason":"","total":null,"active":null,"participant_count":null,"poll_interval":"1s"}}`
	const refused = `{"code":404,"status":"NOT_FOUND","message":"no such conference","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"CONFERENCE_NOT_FOUND","domain":"participant-gateway","metadata":{}}]}`
	refusal := &apierror.Error{Reason: apierror.ConferenceNotFound, Message: "no such conference"}
	for _, tt := range []struct {
		name        string
		message     *Message
		event, json string
	}{
		{"a checkpoint", NewConferenceMessage("conf_1", checkpoint()), "checkpoint", `{"conference_id":"conf_1","message":` + inner + `}`},
		{"an id to escape", NewConferenceMessage("a\"b\u2028é", checkpoint()), "checkpoint", `{"conference_id":"a\"b\u2028é","message":` + inner + `}`},
		{"the end", NewConferenceMessage("c", &watch.Message{Token: "t9", End: &watch.End{}}), "end", `{"conference_id":"c","message":{"resume_token":"t9","end":{"reason":"conference_gone"}}}`},
		{"a refusal", NewRefusal("a\"b", refusal), "refused", `{"conference_id":"a\"b","error":` + refused + `}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want, _ := tt.message.ProtoReflect().Interface().(*v2.WatchConferencesResponse)
			var got v2.WatchConferencesResponse
			if err := proto.Unmarshal(joinedParts(t, tt.message.ProtoParts), &got); err != nil || !proto.Equal(&got, want) {
				t.Errorf("proto: %v, %v, want %v", &got, err, want)
			}
			got.Reset()
			if err := protojson.Unmarshal(joinedParts(t, tt.message.ProtoJSONParts), &got); err != nil || !proto.Equal(&got, want) {
				t.Errorf("proto JSON: %v, %v, want %v", &got, err, want)
			}
			if got := string(joinedParts(t, tt.message.JSONParts)); got != tt.json+"\n" {
				t.Errorf("JSON: %s\nwant %s", got, tt.json)
			}
			if got, want := string(joinedParts(t, tt.message.SSEParts)), "event: "+tt.event+"\ndata: "+tt.json+"\n\n"; got != want {
				t.Errorf("SSE: %s\nwant %s", got, want)
			}
		})
	}
}

func TestA16_SubscribersOfAllStreamsShareTheBytes(t *testing.T) {
	source := &watch.Message{Token: "t1", Checkpoint: &watch.Checkpoint{}}
	for name, encode := range map[string]func(*Message) ([][]byte, error){
		"proto": (*Message).ProtoParts, "JSON": (*Message).JSONParts, "proto JSON": (*Message).ProtoJSONParts,
	} {
		alone, err := encode(NewMessage(source))
		if err != nil {
			t.Fatal(err)
		}
		among, err := encode(NewConferenceMessage("conf", source))
		if err != nil || &among[1][0] != &alone[0][0] {
			t.Errorf("%s: the message was encoded again, or %v", name, err)
		}
	}
}

// TestW14_AnEncodedMessageNeedsNoMemory calls what each subscriber calls for each message.
func TestW14_AnEncodedMessageNeedsNoMemory(t *testing.T) {
	m := NewMessage(&watch.Message{Token: "t1", Checkpoint: &watch.Checkpoint{}})
	for name, encode := range map[string]func(*Message) ([][]byte, error){
		"proto": (*Message).ProtoParts, "JSON": (*Message).JSONParts, "proto JSON": (*Message).ProtoJSONParts, "SSE": (*Message).SSEParts,
	} {
		if allocations := testing.AllocsPerRun(10, func() { _, _ = encode(m) }); allocations > 0 {
			t.Errorf("%s: %v allocations", name, allocations)
		}
	}
}
