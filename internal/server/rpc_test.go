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

// webProtocols are the protocols with which web pages call the HTTP port.
var webProtocols = map[string]connect.ClientOption{
	"Connect": connect.WithClientOptions(), "Connect JSON": connect.WithProtoJSON(), "gRPC-Web": connect.WithGRPCWeb(),
}

// web returns a client for one method.
func web[Request, Response any](r *running, method string, option connect.ClientOption) *connect.Client[Request, Response] {
	scheme := "http://"
	if r.tls != nil {
		scheme = "https://"
	}
	return connect.NewClient[Request, Response](r.browser(r.tls), scheme+r.HTTPAddr()+method, option)
}

// webWatch opens a stream; credential may be empty.
func webWatch(r *running, option connect.ClientOption, credential string) *connect.ServerStreamForClient[v2.WatchParticipantsResponse] {
	r.t.Helper()
	request := connect.NewRequest(&v2.WatchParticipantsRequest{ConferenceId: demoConference})
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

// webOutcome returns the outcome of a call of a web page.
func webOutcome(err error) outcome {
	if err == nil {
		return outcome{code: codes.OK}
	}
	failed, _ := errors.AsType[*connect.Error](err)
	for _, detail := range failed.Details() {
		if value, err := detail.Value(); err == nil {
			if info, ok := value.(*errdetails.ErrorInfo); ok {
				return outcome{codes.Code(failed.Code()), apierror.Reason(info.GetReason())}
			}
		}
	}
	return outcome{code: codes.Code(failed.Code())}
}

func TestWebPagesCallAndWatch(t *testing.T) {
	inPlain := run(t)
	overTLS, _, _ := runWithTLS(t)
	for _, r := range []*running{inPlain, overTLS} {
		for name, option := range webProtocols {
			stream := webWatch(r, option, "")
			if !stream.Receive() || stream.Msg().GetSnapshot() == nil {
				t.Fatalf("%s: %v, %v", name, stream.Msg(), stream.Err())
			}
			add := web[v2.AddParticipantRequest, v2.AddParticipantResponse](r, v2.ParticipantService_AddParticipant_FullMethodName, option)
			for _, replayed := range []string{"", "true"} {
				added, err := add.CallUnary(r.context(), connect.NewRequest(&v2.AddParticipantRequest{
					ConferenceId: demoConference, PhoneNumber: "+12025550123", RequestId: name,
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
				t.Errorf("%s: the added participant did not arrive: %v", name, stream.Err())
			}
			if err := stream.Close(); err != nil {
				t.Errorf("%s: close: %v", name, err)
			}
			_, err := add.CallUnary(r.context(), connect.NewRequest(&v2.AddParticipantRequest{ConferenceId: demoConference, PhoneNumber: "1"}))
			if got := webOutcome(err); got != (outcome{codes.InvalidArgument, apierror.InvalidRequest}) {
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
	r, _, writer, reader := runWithKeys(t)
	for name, option := range webProtocols {
		add := web[v2.AddParticipantRequest, v2.AddParticipantResponse](r, v2.ParticipantService_AddParticipant_FullMethodName, option)
		for _, test := range []struct {
			credential string
			add, watch outcome
		}{
			{"", outcome{codes.Unauthenticated, apierror.CredentialMissing}, outcome{codes.Unauthenticated, apierror.CredentialMissing}},
			{"pgk_wrong", outcome{codes.Unauthenticated, apierror.CredentialInvalid}, outcome{codes.Unauthenticated, apierror.CredentialInvalid}},
			{reader, outcome{codes.PermissionDenied, apierror.RoleNotGranted}, outcome{code: codes.OK}},
			{writer, outcome{code: codes.OK}, outcome{code: codes.OK}},
		} {
			request := connect.NewRequest(&v2.AddParticipantRequest{ConferenceId: demoConference, PhoneNumber: "+12025550123"})
			request.Header().Set("X-Auth-Token", test.credential)
			if test.credential == "" {
				request.Header().Del("X-Auth-Token")
			}
			if _, err := add.CallUnary(r.context(), request); webOutcome(err) != test.add {
				t.Errorf("%s: add with %q: %v", name, test.credential, err)
			}
			stream := webWatch(r, option, test.credential)
			stream.Receive()
			if got := webOutcome(stream.Err()); got != test.watch {
				t.Errorf("%s: watch with %q: %v", name, test.credential, stream.Err())
			}
			stream.Close()
		}
	}
	if log := r.log.String(); strings.Contains(log, reader) || strings.Contains(log, writer) {
		t.Error("the log contains a key")
	}
	post, err := r.browser(nil).Post("http://"+r.HTTPAddr()+v2.ParticipantService_AddParticipant_FullMethodName, "application/json", strings.NewReader("{"))
	if err != nil || post.StatusCode != http.StatusUnauthorized {
		t.Errorf("an invalid request without credentials: %v, %v", post, err)
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
		if got := webOutcome(stream.Err()); got != (outcome{codes.Unavailable, apierror.Draining}) {
			t.Errorf("%s ended with %v", name, stream.Err())
		}
	}
	<-stopped
	if log := r.log.String(); strings.Contains(log, "cut at the drain timeout") {
		t.Error("the clients delayed the drain")
	}
}
