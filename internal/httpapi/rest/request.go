package rest

import (
	"context"
	"net/http"
	"net/url"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/httpapi/decode"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// decode is a grpc-gateway middleware that decodes the request of a routed call. The
// service itself refuses fields that cannot be decoded, together with those that break
// its rules.
func (a *api) decode(next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, path map[string]string) {
		request := emptyRequest(r)
		violations, err := decode.Request(w, r, path, request)
		if err != nil {
			a.Errors.Refuse(w, r, a.refusal(r, path, err))
			return
		}
		ctx := peer.NewContext(r.Context(), httpio.PeerOf(r))
		ctx = requestctx.WithViolations(ctx, violations)
		r = r.WithContext(context.WithValue(ctx, requestKey{}, request))
		// A form that is set is not parsed: grpc-gateway finds nothing in the query.
		r.Form, r.PostForm = url.Values{}, url.Values{}
		next(w, r, path)
	}
}

// refusal returns why a request with a fault is refused; nil where it has none, and its
// caller may make it.
func (a *api) refusal(r *http.Request, path map[string]string, fault error) error {
	request := emptyRequest(r)
	// The precheck refuses an id that cannot be decoded like any id that the caller may not use.
	_ = decode.Path(path, request)
	return a.Precheck.Refusal(r, request, fault)
}

// emptyRequest returns the request message of the route that was matched.
func emptyRequest(r *http.Request) proto.Message {
	switch pattern, _ := runtime.HTTPPattern(r.Context()); {
	case pattern.Verb() == watchVerb:
		return &v2.WatchParticipantsRequest{}
	case r.Method == http.MethodPost:
		return &v2.AddParticipantRequest{}
	case r.Method == http.MethodDelete:
		return &v2.RemoveParticipantRequest{}
	default:
		return &v2.ListParticipantsRequest{}
	}
}

type requestKey struct{}

// decodedFrom returns the request that decode stored in the context.
func decodedFrom[R proto.Message](ctx context.Context) R {
	request, _ := ctx.Value(requestKey{}).(R)
	return request
}

// decodedService passes the decoded requests to the service, in place of the empty ones
// that grpc-gateway makes.
type decodedService struct{ v2.ParticipantServiceServer }

func (s decodedService) AddParticipant(
	ctx context.Context, _ *v2.AddParticipantRequest,
) (*v2.AddParticipantResponse, error) {
	return s.ParticipantServiceServer.AddParticipant(ctx, decodedFrom[*v2.AddParticipantRequest](ctx))
}

func (s decodedService) RemoveParticipant(
	ctx context.Context, _ *v2.RemoveParticipantRequest,
) (*v2.RemoveParticipantResponse, error) {
	return s.ParticipantServiceServer.RemoveParticipant(ctx, decodedFrom[*v2.RemoveParticipantRequest](ctx))
}

func (s decodedService) ListParticipants(
	ctx context.Context, _ *v2.ListParticipantsRequest,
) (*v2.ListParticipantsResponse, error) {
	return s.ParticipantServiceServer.ListParticipants(ctx, decodedFrom[*v2.ListParticipantsRequest](ctx))
}
