package rest

import (
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

func TestRoutesMatchTheProto(t *testing.T) {
	methods := v2.File_audian_conference_v2_participant_service_proto.Services().Get(0).Methods()
	for i := range methods.Len() {
		rule, _ := proto.GetExtension(methods.Get(i).Options(), annotations.E_Http).(*annotations.HttpRule)
		path := rule.GetGet() + rule.GetPost() + rule.GetDelete()
		if methods.Get(i).IsStreamingServer() && path != watchPath {
			t.Errorf("the watch is served at %s, not at %s", watchPath, path)
		}
		if !strings.HasPrefix(path, Prefix) {
			t.Errorf("%s is not below %s", path, Prefix)
		}
	}
}
