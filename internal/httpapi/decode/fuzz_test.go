package decode

import (
	"testing"

	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// checkDecoded fails unless a request was decoded into a valid message, or the error names
// the fields.
func checkDecoded(t *testing.T, request proto.Message, err error) {
	t.Helper()
	if err == nil {
		if _, err := proto.Marshal(request); err != nil {
			t.Fatalf("the request cannot be encoded: %v", err)
		}
		return
	}
	if refused := violationsOf(t, err); refused == "" {
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
		err := JSON(body, &request)
		checkDecoded(t, &request, err)
		var control v2.MuteParticipantRequest
		err = JSON(body, &control)
		checkDecoded(t, &control, err)
	})
}

func FuzzDecodeQuery(f *testing.F) {
	for _, seed := range []string{"statuses=connected&page_size=5", "heartbeat_interval=5s", "x=%ff&%fe", "resume_token=a&resume_token=b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var list v2.ListParticipantsRequest
		err := Query(text, &list)
		checkDecoded(t, &list, err)
		var watched v2.WatchParticipantsRequest
		err = Query(text, &watched)
		checkDecoded(t, &watched, err)
	})
}
