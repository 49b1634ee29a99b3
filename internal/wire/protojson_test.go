package wire

import (
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

func TestW14_ProtoJSONIsEncodedOnce(t *testing.T) {
	source := initial()
	first, err := NewMessage(source).ProtoJSON()
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewMessage(source).ProtoJSON()
	if err != nil || &first[0] != &again[0] {
		t.Errorf("encoded again: %v", err)
	}
	read := &v2.WatchParticipantsResponse{}
	if err := protojson.Unmarshal(first, read); err != nil || !proto.Equal(read, response(source)) {
		t.Errorf("read %v, %v", read, err)
	}
}
