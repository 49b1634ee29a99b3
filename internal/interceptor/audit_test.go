package interceptor

import (
	"testing"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
)

// TestA15_EveryCallThatNeedsAWriterIsAudited fails if a method that changes a conference has no
// line in the audit log.
func TestA15_EveryCallThatNeedsAWriterIsAudited(t *testing.T) {
	service := v2.File_audian_conference_v2_participant_service_proto.Services().ByName("ParticipantService")
	for i := range service.Methods().Len() {
		method := service.Methods().Get(i)
		request := requestOf(t, method)
		empty, isAudited := audited["/"+string(service.FullName())+"/"+string(method.Name())]
		if needsWriter := permissionFor(request).Role == access.Writer; isAudited != needsWriter {
			t.Errorf("%s: audited: %t, needs a writer: %t", method.Name(), isAudited, needsWriter)
		}
		if isAudited && empty.ProtoReflect().Descriptor() != request.ProtoReflect().Descriptor() {
			t.Errorf("%s: the request is %T", method.Name(), empty)
		}
	}
}
