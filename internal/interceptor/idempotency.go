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

// idempotencyKey is the metadata, or HTTP header, that may contain an Add's request_id (A2).
const idempotencyKey = "idempotency-key"

// withIdempotencyKey sets the request_id of an Add from its idempotency key. The returned
// context contains the key's violations, which check reports with all others.
func withIdempotencyKey(ctx context.Context, request proto.Message) context.Context {
	add, isAdd := request.(*v2.AddParticipantRequest)
	if !isAdd {
		return ctx
	}
	incoming, _ := metadata.FromIncomingContext(ctx)
	problem := setRequestID(add, incoming.Get(idempotencyKey))
	if problem == "" {
		return ctx
	}
	return requestctx.WithViolations(ctx, append(slices.Clone(requestctx.Violations(ctx)), apierror.Violation{
		Field: "request_id", Rule: "header", Message: problem,
	}))
}

// setRequestID returns the problem of the keys, or the empty string.
func setRequestID(add *v2.AddParticipantRequest, keys []string) (problem string) {
	for _, key := range keys {
		switch {
		case strings.TrimSpace(key) == "":
			return "must not be empty where Idempotency-Key is sent as a header"
		case add.GetRequestId() == "":
			add.RequestId = key
		case add.GetRequestId() != key:
			return "must be the same as every Idempotency-Key that is sent as a header"
		}
	}
	return ""
}
