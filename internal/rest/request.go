package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/wire"
)

// maxBody is far above what the largest valid request takes.
const maxBody = 64 << 10

// reading reads the request of a routed call before grpc-gateway does.
func (a *api) reading(next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, path map[string]string) {
		request, err := read(w, r, path)
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		ctx := peer.NewContext(r.Context(), caller(r))
		r = r.WithContext(context.WithValue(ctx, requestKey{}, request))
		// A form that is set is not parsed: grpc-gateway finds nothing in the query.
		r.Form, r.PostForm = url.Values{}, url.Values{}
		next(w, r, path)
	}
}

func read(w http.ResponseWriter, r *http.Request, path map[string]string) (proto.Message, error) {
	request, fromQuery := emptyRequest(r)
	if r.Method == http.MethodPost {
		// What a call has in its body it does not take from the query.
		fromQuery = &emptypb.Empty{}
		if err := readBody(w, r, request); err != nil {
			return nil, err
		}
	}
	if add, isAdd := request.(*v2.AddParticipantRequest); isAdd {
		if err := readIdempotencyKey(r.Header.Values("Idempotency-Key"), add); err != nil {
			return nil, err
		}
	}
	if err := checkTimeout(r.Header.Get("Grpc-Timeout")); err != nil {
		return nil, err
	}
	if err := wire.DecodeQuery(r.URL.RawQuery, fromQuery); err != nil {
		return nil, err
	}
	if err := wire.DecodePath(path, request); err != nil {
		return nil, err
	}
	return request, nil
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
		return &participant.Error{
			Reason:  participant.MediaType,
			Message: "the body must be JSON, sent with Content-Type: application/json",
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return &participant.Error{
			Reason:  participant.BodyTooLarge,
			Message: fmt.Sprintf("the body must be at most %d bytes", maxBody),
		}
	}
	if err != nil {
		return &participant.Error{Reason: participant.Cancelled, Message: "the body was cut off", Cause: err}
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

// readIdempotencyKey takes the header for the request_id that it is another name of
// (A2).
func readIdempotencyKey(keys []string, add *v2.AddParticipantRequest) error {
	for _, key := range keys {
		switch add.GetRequestId() {
		case key:
		case "":
			add.RequestId = key
		default:
			return invalid("request_id", "must be the same as the header Idempotency-Key")
		}
	}
	return nil
}

// timeout is a deadline as gRPC tells it.
var timeout = regexp.MustCompile(`^\d{1,8}[HMSmun]$`)

// checkTimeout refuses here what grpc-gateway would refuse without naming it.
func checkTimeout(text string) error {
	if text == "" || timeout.MatchString(text) {
		return nil
	}
	return invalid("grpc-timeout", "must be up to 8 digits and one of H M S m u n")
}

func invalid(field, rule string) error {
	return &participant.Error{
		Reason:     participant.InvalidRequest,
		Message:    field + " " + rule,
		Violations: []participant.Violation{{Field: field, Rule: "header", Message: rule}},
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
