package rest

import (
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/reflect/protoreflect"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

func TestRoutesMatchTheProto(t *testing.T) {
	methods := v2.File_audian_conference_v2_participant_service_proto.Services().Get(0).Methods()
	for i := range methods.Len() {
		for _, rule := range httpRules(methods.Get(i)) {
			checkRule(t, methods.Get(i), rule)
		}
	}
}

func checkRule(t *testing.T, method protoreflect.MethodDescriptor, rule *annotations.HttpRule) {
	t.Helper()
	verb, path := verbAndPath(rule)
	if path == "" || path != rule.GetGet()+rule.GetPost()+rule.GetDelete() {
		t.Errorf("%s has the route %s %q, its rule is %v", method.Name(), verb, path, rule)
	}
	if served := map[protoreflect.Name]string{"WatchParticipants": watchPath, "WatchConferences": manyPath}[method.Name()]; served != "" && path != served {
		t.Errorf("%s is served at %s, not at %s", method.Name(), served, path)
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
