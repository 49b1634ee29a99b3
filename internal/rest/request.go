package rest

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"regexp"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/wire"
)

// reading reads the request of a routed call before grpc-gateway does.
func (a *api) reading(next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, path map[string]string) {
		request, unreadable, err := read(w, r, path)
		if err != nil {
			a.refuse(w, r, a.screened(r, path, err))
			return
		}
		ctx := peer.NewContext(r.Context(), PeerOf(r))
		ctx = requestctx.WithViolations(ctx, unreadable)
		r = r.WithContext(context.WithValue(ctx, requestKey{}, request))
		// A form that is set is not parsed: grpc-gateway finds nothing in the query.
		r.Form, r.PostForm = url.Values{}, url.Values{}
		next(w, r, path)
	}
}

// screened puts the caller's fault before the request's: a stranger learns nothing
// about requests.
func (a *api) screened(r *http.Request, path map[string]string, fault error) error {
	request, _ := emptyRequest(r)
	// An id that is none is one that nobody was granted.
	_ = wire.DecodePath(path, request)
	ctx := requestctx.WithRequestID(r.Context(), r.Header.Get(requestIDHeader))
	refusal := a.screen(peer.NewContext(ctx, PeerOf(r)), access.Credentials{
		Authorization: r.Header.Values("Authorization"),
		AuthToken:     r.Header.Values("X-Auth-Token"),
	}, request)
	if refusal != nil {
		return refusal
	}
	return fault
}

// read reads what can be read of a request. The fields that cannot be are for the
// service to name together with those that break its rules; an error is where the
// rest cannot be trusted either.
func read(w http.ResponseWriter, r *http.Request, path map[string]string) (proto.Message, []apierror.Violation, error) {
	if err := CheckTimeout(r.Header.Get("Grpc-Timeout")); err != nil {
		return nil, nil, err
	}
	request, fromQuery := emptyRequest(r)
	var unreadable fields
	var inBody error
	if r.Method == http.MethodPost {
		// What a call has in its body it does not take from the query.
		fromQuery = &emptypb.Empty{}
		inBody = readBody(w, r, request)
	}
	for _, err := range []error{
		inBody,
		wire.DecodeQuery(r.URL.RawQuery, fromQuery),
		wire.DecodePath(path, request),
	} {
		if err := unreadable.note(err); err != nil {
			return nil, nil, err
		}
	}
	return request, unreadable, nil
}

// fields are those of a request that could not be read.
type fields []apierror.Violation

// note takes the fields from an error that names some, and returns any other. An
// error about the body as a whole says nothing about fields.
func (f *fields) note(err error) error {
	named, isOurs := errors.AsType[*apierror.Error](err)
	if !isOurs || named.Reason != apierror.InvalidRequest {
		return err
	}
	for _, violation := range named.Violations {
		if violation.Field == wire.WholeBody {
			return err
		}
	}
	*f = append(*f, named.Violations...)
	return nil
}

// emptyRequest is the request message of the route that was matched.
func emptyRequest(r *http.Request) (request, fromQuery proto.Message) {
	switch pattern, _ := runtime.HTTPPattern(r.Context()); {
	case pattern.Verb() == watchVerb:
		request = &v2.WatchParticipantsRequest{}
	case r.Method == http.MethodPost:
		request = &v2.AddParticipantRequest{}
	case r.Method == http.MethodDelete:
		request = &v2.RemoveParticipantRequest{}
	default:
		request = &v2.ListParticipantsRequest{}
	}
	return request, request
}

func readBody(w http.ResponseWriter, r *http.Request, request proto.Message) error {
	if !isJSON(r.Header.Get("Content-Type")) {
		return &apierror.Error{
			Reason:  apierror.MediaType,
			Message: "the body must be JSON, sent with Content-Type: application/json",
		}
	}
	body, err := ReadBody(w, r)
	if err != nil {
		return err
	}
	return wire.DecodeBody(body, request)
}

// isJSON takes a missing type for JSON. A form's is refused though its content may
// be JSON, as curl's is by default: it is what a foreign page can send unasked.
func isJSON(contentType string) bool {
	if contentType == "" {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == jsonType
}

// timeout is a deadline as gRPC tells it.
var timeout = regexp.MustCompile(`^\d{1,8}[HMSmun]$`)

// noTime is a deadline that has passed. grpc-gateway takes it for none.
var noTime = regexp.MustCompile(`^0+[HMSmun]$`)

// CheckTimeout refuses a Grpc-Timeout that libraries would refuse without naming it.
func CheckTimeout(text string) error {
	switch {
	case noTime.MatchString(text):
		return &apierror.Error{Reason: apierror.DeadlineExceeded, Message: "the call's deadline has passed"}
	case text == "" || timeout.MatchString(text):
		return nil
	}
	return invalid("grpc-timeout", "must be up to 8 digits and one of H M S m u n")
}

func invalid(field, rule string) error {
	return &apierror.Error{
		Reason:     apierror.InvalidRequest,
		Message:    field + " " + rule,
		Violations: []apierror.Violation{{Field: field, Rule: "header", Message: rule}},
	}
}

type requestKey struct{}

// readFrom is the request that reading has read.
func readFrom[R proto.Message](ctx context.Context) R {
	request, _ := ctx.Value(requestKey{}).(R)
	return request
}

// asRead gives the service the requests that were read, in place of the empty ones
// that grpc-gateway makes of what is left to it.
type asRead struct{ v2.ParticipantServiceServer }

func (s asRead) AddParticipant(
	ctx context.Context, _ *v2.AddParticipantRequest,
) (*v2.AddParticipantResponse, error) {
	return s.ParticipantServiceServer.AddParticipant(ctx, readFrom[*v2.AddParticipantRequest](ctx))
}

func (s asRead) RemoveParticipant(
	ctx context.Context, _ *v2.RemoveParticipantRequest,
) (*v2.RemoveParticipantResponse, error) {
	return s.ParticipantServiceServer.RemoveParticipant(ctx, readFrom[*v2.RemoveParticipantRequest](ctx))
}

func (s asRead) ListParticipants(
	ctx context.Context, _ *v2.ListParticipantsRequest,
) (*v2.ListParticipantsResponse, error) {
	return s.ParticipantServiceServer.ListParticipants(ctx, readFrom[*v2.ListParticipantsRequest](ctx))
}
