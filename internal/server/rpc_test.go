package server_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
)

// webProtocols are how web pages call the HTTP door.
var webProtocols = map[string]connect.ClientOption{
	"Connect": connect.WithClientOptions(), "Connect JSON": connect.WithProtoJSON(), "gRPC-Web": connect.WithGRPCWeb(),
}

// web is one method as a page calls it.
func web[Request, Answer any](r *running, method string, option connect.ClientOption) *connect.Client[Request, Answer] {
	scheme := "http://"
	if r.tls != nil {
		scheme = "https://"
	}
	return connect.NewClient[Request, Answer](r.browser(r.tls), scheme+r.HTTPAddr()+method, option)
}

// webWatch opens a stream as a page does, with a credential where there is one.
func webWatch(r *running, option connect.ClientOption, credential string) *connect.ServerStreamForClient[v2.WatchParticipantsResponse] {
	r.t.Helper()
	request := connect.NewRequest(&v2.WatchParticipantsRequest{ConferenceId: room})
	if credential != "" {
		request.Header().Set("X-Auth-Token", credential)
	}
	stream, err := web[v2.WatchParticipantsRequest, v2.WatchParticipantsResponse](
		r, v2.ParticipantService_WatchParticipants_FullMethodName, option).CallServerStream(r.context(), request)
	if err != nil {
		r.t.Fatal(err)
	}
	return stream
}

// toldByWeb is what a page is told of a call.
func toldByWeb(err error) told {
	if err == nil {
		return told{code: codes.OK}
	}
	failed, _ := errors.AsType[*connect.Error](err)
	for _, detail := range failed.Details() {
		if value, err := detail.Value(); err == nil {
			if info, ok := value.(*errdetails.ErrorInfo); ok {
				return told{codes.Code(failed.Code()), apierror.Reason(info.GetReason())}
			}
		}
	}
	return told{code: codes.Code(failed.Code())}
}

func TestWebPagesCallAndWatch(t *testing.T) {
	inPlain := run(t)
	overTLS, _, _ := secured(t)
	for _, r := range []*running{inPlain, overTLS} {
		for name, option := range webProtocols {
			stream := webWatch(r, option, "")
			if !stream.Receive() || stream.Msg().GetSnapshot() == nil {
				t.Fatalf("%s: %v, %v", name, stream.Msg(), stream.Err())
			}
			add := web[v2.AddParticipantRequest, v2.AddParticipantResponse](r, v2.ParticipantService_AddParticipant_FullMethodName, option)
			for _, replayed := range []string{"", "true"} {
				added, err := add.CallUnary(r.context(), connect.NewRequest(&v2.AddParticipantRequest{
					ConferenceId: room, PhoneNumber: "+12025550123", RequestId: name,
				}))
				if err != nil || added.Header().Get("Idempotency-Replayed") != replayed {
					t.Fatalf("%s: %v, %v", name, added, err)
				}
			}
			came := isWrite(stream.Msg())
			for !came && stream.Receive() {
				came = isWrite(stream.Msg())
			}
			if !came {
				t.Errorf("%s: the add did not come: %v", name, stream.Err())
			}
			if err := stream.Close(); err != nil {
				t.Errorf("%s: close: %v", name, err)
			}
			_, err := add.CallUnary(r.context(), connect.NewRequest(&v2.AddParticipantRequest{ConferenceId: room, PhoneNumber: "1"}))
			if got := toldByWeb(err); got != (told{codes.InvalidArgument, apierror.InvalidRequest}) {
				t.Errorf("%s: a wrong number: %v", name, err)
			}
		}
	}
}

func isWrite(m *v2.WatchParticipantsResponse) bool {
	for _, change := range m.GetChanges().GetChanges() {
		if change.GetSource() == v2.ChangeSource_CHANGE_SOURCE_GATEWAY_WRITE {
			return true
		}
	}
	return false
}

func TestTheSameRulesForWebPages(t *testing.T) {
	r, _, writer, reader := keyed(t)
	for name, option := range webProtocols {
		add := web[v2.AddParticipantRequest, v2.AddParticipantResponse](r, v2.ParticipantService_AddParticipant_FullMethodName, option)
		for _, test := range []struct {
			credential string
			add, watch told
		}{
			{"", told{codes.Unauthenticated, apierror.CredentialMissing}, told{codes.Unauthenticated, apierror.CredentialMissing}},
			{"pgk_wrong", told{codes.Unauthenticated, apierror.CredentialInvalid}, told{codes.Unauthenticated, apierror.CredentialInvalid}},
			{reader, told{codes.PermissionDenied, apierror.RoleNotGranted}, told{code: codes.OK}},
			{writer, told{code: codes.OK}, told{code: codes.OK}},
		} {
			request := connect.NewRequest(&v2.AddParticipantRequest{ConferenceId: room, PhoneNumber: "+12025550123"})
			request.Header().Set("X-Auth-Token", test.credential)
			if test.credential == "" {
				request.Header().Del("X-Auth-Token")
			}
			if _, err := add.CallUnary(r.context(), request); toldByWeb(err) != test.add {
				t.Errorf("%s: add with %q: %v", name, test.credential, err)
			}
			stream := webWatch(r, option, test.credential)
			stream.Receive()
			if got := toldByWeb(stream.Err()); got != test.watch {
				t.Errorf("%s: watch with %q: %v", name, test.credential, stream.Err())
			}
			stream.Close()
		}
	}
	if log := r.log.String(); strings.Contains(log, reader) || strings.Contains(log, writer) {
		t.Error("the log holds a key")
	}
	post, err := r.browser(nil).Post("http://"+r.HTTPAddr()+v2.ParticipantService_AddParticipant_FullMethodName, "application/json", strings.NewReader("{"))
	if err != nil || post.StatusCode != http.StatusUnauthorized {
		t.Errorf("a stranger who asks nonsense: %v, %v", post, err)
	}
}

func TestW16_WebStreamsEndWithTheDrain(t *testing.T) {
	r := run(t, "--drain-timeout=10s")
	streams := map[string]*connect.ServerStreamForClient[v2.WatchParticipantsResponse]{}
	for name, option := range webProtocols {
		streams[name] = webWatch(r, option, "")
		if !streams[name].Receive() {
			t.Fatal(streams[name].Err())
		}
	}
	stopped := make(chan struct{})
	go func() {
		r.stop()
		close(stopped)
	}()
	for name, stream := range streams {
		for stream.Receive() {
		}
		if got := toldByWeb(stream.Err()); got != (told{codes.Unavailable, apierror.Draining}) {
			t.Errorf("%s ended with %v", name, stream.Err())
		}
	}
	<-stopped
	if log := r.log.String(); strings.Contains(log, "cut at the drain timeout") {
		t.Error("they held the drain up")
	}
}
