package interceptor

import (
	"context"
	"log/slog"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/metrics"
)

// requestOf returns a request of a method for the conference "conf".
func requestOf(t *testing.T, method protoreflect.MethodDescriptor) proto.Message {
	t.Helper()
	input, err := protoregistry.GlobalTypes.FindMessageByName(method.Input().FullName())
	if err != nil {
		t.Fatal(err)
	}
	request := input.New()
	if field := method.Input().Fields().ByName("conference_id"); field != nil {
		request.Set(field, protoreflect.ValueOfString("conf"))
	}
	return request.Interface()
}

// TestA13_EveryMethodNeedsARole fails if a method of the service has no row.
func TestA13_EveryMethodNeedsARole(t *testing.T) {
	want := map[protoreflect.Name]access.Role{
		"ListParticipants":      access.Viewer,
		"WatchParticipants":     access.Viewer,
		"GetParticipant":        access.Viewer,
		"RefreshParticipants":   access.Viewer,
		"AddParticipant":        access.Writer,
		"RemoveParticipant":     access.Writer,
		"MuteParticipant":       access.Writer,
		"UnmuteParticipant":     access.Writer,
		"HoldParticipant":       access.Writer,
		"ResumeParticipant":     access.Writer,
		"DisconnectParticipant": access.Writer,
		"MuteAllParticipants":   access.Writer,
		"BatchAddParticipants":  access.Writer,
		"WatchConferences":      access.Viewer,
	}
	methods := v2.File_audian_conference_v2_participant_service_proto.Services().ByName("ParticipantService").Methods()
	if methods.Len() != len(want) {
		t.Errorf("the service has %d methods, the table %d", methods.Len(), len(want))
	}
	for i := range methods.Len() {
		method := methods.Get(i)
		role, listed := want[method.Name()]
		got := permissionFor(requestOf(t, method))
		permission := access.Permission{Role: role, Conference: "conf"}
		if method.Name() == "WatchConferences" {
			permission.Conference, permission.AnyConference = "", true // Each conference is authorized alone (A16).
		}
		if !listed || got != permission {
			t.Errorf("%s: needs %+v; in the table: %t, %s", method.Name(), got, listed, role)
		}
	}
}

// An unknown request needs the writer role.
func TestA13_AnUnknownCallNeedsTheWriterRole(t *testing.T) {
	if got := permissionFor(&v2.Participant{ConferenceId: "conf"}); got != (access.Permission{Role: access.Writer, Conference: "conf"}) {
		t.Errorf("got %+v", got)
	}
}

// granting authenticates every caller with the grant.
type granting struct{ grant *access.Grant }

func (g granting) Authenticate(context.Context, access.Credentials) (access.Caller, error) {
	return access.Caller{Name: "caller", Grant: g.grant}, nil
}

func interceptorFor(grant *access.Grant) *Interceptor {
	return New(Options{
		Authenticator: granting{grant}, Streams: NewStreams(0),
		Metrics: metrics.New(), Logger: slog.New(slog.DiscardHandler),
	})
}

func TestA13_OnlyReadersAndWritersSeeNumbers(t *testing.T) {
	for role, want := range map[access.Role]bool{access.Viewer: false, access.Reader: true, access.Writer: true} {
		request := &v2.ListParticipantsRequest{ConferenceId: "conf"}
		_, err := interceptorFor(access.NewGrant(access.Rights{Role: role})).unary(
			t.Context(), v2.ParticipantService_ListParticipants_FullMethodName, request,
			func(ctx context.Context, _ any) (any, error) {
				if got := access.FromContext(ctx).SeesNumbers; got != want {
					t.Errorf("%s: got %t", role, got)
				}
				return nil, nil //nolint:nilnil // The response does not matter.
			})
		if err != nil {
			t.Errorf("%s: %v", role, err)
		}
	}
}

// watching is the server's side of a stream without a client.
type watching struct {
	grpc.ServerStream

	ctx context.Context
}

func (w watching) Context() context.Context { return w.ctx }

func (watching) SetHeader(metadata.MD) error { return nil }

// reasonOf returns the reason in a status, or the empty string.
func reasonOf(err error) apierror.Reason {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return apierror.Reason(info.GetReason())
		}
	}
	return ""
}

// TestA13_AStreamWithNumbersEndsWithTheRight changes the role of a caller with an open stream.
func TestA13_AStreamWithNumbersEndsWithTheRight(t *testing.T) {
	for _, test := range []struct {
		before, after access.Role
		want          apierror.Reason
	}{
		{access.Reader, access.Viewer, apierror.RoleNotGranted},
		{access.Writer, access.Viewer, apierror.RoleNotGranted},
		{access.Writer, access.Reader, ""},
		{access.Viewer, access.Reader, ""},
		{access.Viewer, access.Viewer, ""},
		{access.Viewer, access.NoRole, apierror.RoleNotGranted},
	} {
		grant := access.NewGrant(access.Rights{Role: test.before})
		err := interceptorFor(grant).stream(
			v2.ParticipantService_WatchParticipants_FullMethodName, &v2.WatchParticipantsRequest{ConferenceId: "conf"},
			watching{ctx: t.Context()}, func(stream grpc.ServerStream) error {
				sees := access.FromContext(stream.Context()).SeesNumbers
				grant.SetRights(access.Rights{Role: test.after})
				if access.FromContext(stream.Context()).SeesNumbers != sees {
					t.Errorf("%s, then %s: the open stream's mask changed", test.before, test.after)
				}
				return context.Cause(stream.Context())
			})
		if got := reasonOf(err); got != test.want {
			t.Errorf("%s, then %s: got %v, want %q", test.before, test.after, err, test.want)
		}
	}
}

// A stream that is masked when it opens needs only the viewer role until it ends.
func TestA13_APromotedAndDemotedViewerKeepsTheStream(t *testing.T) {
	grant := access.NewGrant(access.Rights{Role: access.Viewer})
	err := interceptorFor(grant).stream(
		v2.ParticipantService_WatchParticipants_FullMethodName, &v2.WatchParticipantsRequest{ConferenceId: "conf"},
		watching{ctx: t.Context()}, func(stream grpc.ServerStream) error {
			grant.SetRights(access.Rights{Role: access.Reader})
			grant.SetRights(access.Rights{Role: access.Viewer})
			return context.Cause(stream.Context())
		})
	if err != nil {
		t.Errorf("got %v", err)
	}
}
