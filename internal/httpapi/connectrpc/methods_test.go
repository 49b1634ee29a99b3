package connectrpc_test

import (
	"net/url"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/httpapi/connectrpc"
)

// requestOf returns a method's request with the ids conf_1 and part_1.
func requestOf(t *testing.T, method protoreflect.MethodDescriptor) proto.Message {
	t.Helper()
	kind, err := protoregistry.GlobalTypes.FindMessageByName(method.Input().FullName())
	if err != nil {
		t.Fatal(err)
	}
	request := kind.New()
	for name, id := range map[protoreflect.Name]string{"conference_id": "conf_1", "participant_id": "part_1"} {
		if field := method.Input().Fields().ByName(name); field != nil {
			request.Set(field, protoreflect.ValueOfString(id))
		}
	}
	return request.Interface()
}

func TestEveryUnaryMethodIsServed(t *testing.T) {
	service := newFake()
	at := serve(t, service)
	methods := v2.File_audian_conference_v2_participant_service_proto.Services().Get(0).Methods()
	for i := range methods.Len() {
		method := methods.Get(i)
		if method.IsStreamingServer() || method.Name() == "AddParticipant" || method.Name() == "RemoveParticipant" || method.Name() == "ListParticipants" {
			continue
		}
		t.Run(string(method.Name()), func(t *testing.T) {
			want := requestOf(t, method)
			body := `{"conferenceId":"conf_1"}`
			if method.Input().Fields().ByName("participant_id") != nil {
				body = `{"conferenceId":"conf_1","participantId":"part_1"}`
			}
			got := call(t, at, "POST", connectrpc.Pattern+string(method.Name()), body, isJSON)
			if got.Status != 200 || !proto.Equal(service.called, want) {
				t.Errorf("response = %+v, request = %v, want %v", got, service.called, want)
			}
			refused := call(t, at, "POST", connectrpc.Pattern+string(method.Name()), `{`, isJSON)
			if refused.Status != 400 || strings.Contains(refused.Body, "dialled") {
				t.Errorf("an invalid body: %+v", refused)
			}
			options, _ := method.Options().(*descriptorpb.MethodOptions)
			byGet := options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS
			status := map[bool]int{true: 200, false: 405}[byGet]
			target := connectrpc.Pattern + string(method.Name()) + "?encoding=json&message=" + url.QueryEscape(body)
			if got := call(t, at, "GET", target, ""); got.Status != status {
				t.Errorf("GET: %+v, want %d", got, status)
			}
		})
	}
}

func TestA07_TheSourceOfAParticipantIsAHeader(t *testing.T) {
	at := serve(t, newFake())
	for _, headers := range [][]string{{isJSON}, {isWeb}} {
		body := map[string]string{isJSON: "{}", isWeb: noMessage}[headers[0]]
		got := call(t, at, "POST", connectrpc.Pattern+"GetParticipant", body, append(headers, "Origin: https://app.example.com")...)
		if got.Header.Get("Participant-Source") != "list" {
			t.Errorf("response = %+v", got)
		}
		if exposed := got.Header.Get("Access-Control-Expose-Headers"); !strings.Contains(exposed, "Participant-Source") {
			t.Errorf("exposed headers = %q", exposed)
		}
	}
}
