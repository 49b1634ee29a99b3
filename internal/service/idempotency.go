package service

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

// idempotencyKey is the metadata, and the header over HTTP, that may carry an add's
// request_id (A2).
const idempotencyKey = "idempotency-key"

// WithIdempotencyKey gives an add the request_id that came as its idempotency key. What is
// wrong with the key is among the violations of the returned context, for Check to report
// with all others. Every transport brings the key as incoming metadata.
func WithIdempotencyKey(ctx context.Context, request proto.Message) context.Context {
	add, isAdd := request.(*v2.AddParticipantRequest)
	if !isAdd {
		return ctx
	}
	incoming, _ := metadata.FromIncomingContext(ctx)
	problem := takeKeys(incoming.Get(idempotencyKey), add)
	if problem == "" {
		return ctx
	}
	return requestctx.WithViolations(ctx, append(slices.Clone(requestctx.Violations(ctx)), apierror.Violation{
		Field: "request_id", Rule: "header", Message: problem,
	}))
}

// takeKeys says what is wrong with the keys; empty where nothing is.
func takeKeys(keys []string, add *v2.AddParticipantRequest) (problem string) {
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
