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
		verb, path := httpRule(methods.Get(i))
		rule, _ := proto.GetExtension(methods.Get(i).Options(), annotations.E_Http).(*annotations.HttpRule)
		if path == "" || path != rule.GetGet()+rule.GetPost()+rule.GetDelete() || len(rule.GetAdditionalBindings()) > 0 {
			t.Errorf("%s has the route %s %q, its rule is %v", methods.Get(i).Name(), verb, path, rule)
		}
		if methods.Get(i).IsStreamingServer() && path != watchPath {
			t.Errorf("the watch is served at %s, not at %s", watchPath, path)
		}
		if !strings.HasPrefix(path, Prefix) {
			t.Errorf("%s is not below %s", path, Prefix)
		}
		for segment := range strings.SplitSeq(path, "/") {
			if strings.Contains(segment, "{") && (!strings.HasPrefix(segment, "{") || strings.Index(segment, "}") != len(segment)-1) {
				t.Errorf("%s has the segment %s, which is neither a literal nor one variable", path, segment)
			}
		}
	}
}
