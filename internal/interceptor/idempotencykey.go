package interceptor

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// idempotencyKey is the metadata, or HTTP header, that may contain the request_id of an Add or of a
// batch (A2).
const idempotencyKey = "idempotency-key"

// withIdempotencyKey sets the request_id of a request from its idempotency key. The returned
// context contains the key's violations, which check reports with all others.
func withIdempotencyKey(ctx context.Context, request proto.Message) context.Context {
	id := requestIDOf(request)
	if id == nil {
		return ctx
	}
	problem := setRequestID(id, metadata.ValueFromIncomingContext(ctx, idempotencyKey))
	if problem == "" {
		return ctx
	}
	return requestctx.WithViolations(ctx, append(slices.Clone(requestctx.Violations(ctx)), apierror.Violation{
		Field: "request_id", Rule: "header", Message: problem,
	}))
}

// requestIDOf returns the request_id of a request, or nil if it has none.
func requestIDOf(request proto.Message) *string {
	switch request := request.(type) {
	case *v2.AddParticipantRequest:
		return &request.RequestId
	case *v2.BatchAddParticipantsRequest:
		return &request.RequestId
	default:
		return nil
	}
}

// setRequestID returns the problem of the keys, or the empty string.
func setRequestID(id *string, keys []string) (problem string) {
	for _, key := range keys {
		switch {
		case strings.TrimSpace(key) == "":
			return "must not be empty where Idempotency-Key is sent as a header"
		case *id == "":
			*id = key
		case *id != key:
			return "must be the same as every Idempotency-Key that is sent as a header"
		}
	}
	return ""
}
