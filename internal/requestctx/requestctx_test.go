package requestctx_test

import (
	"testing"

	"github.com/audian/participant-gateway/internal/requestctx"
)

func TestContext_CarriesIDs(t *testing.T) {
	ctx, ids := requestctx.WithIDs(under(t.Context()), "r1")
	requestctx.SetUpstreamRequestID(ctx, "req_1")
	requestctx.SetUpstreamRequestID(ctx, "")
	requestctx.SetUpstreamRequestID(t.Context(), "nowhere")
	if requestctx.RequestID(ctx) != "r1" || requestctx.Traceparent(ctx) != traceparent || ids.UpstreamRequest() != "req_1" {
		t.Errorf("got %q, %q, %q", requestctx.RequestID(ctx), requestctx.Traceparent(ctx), ids.UpstreamRequest())
	}
	if requestctx.RequestID(t.Context()) != "" || requestctx.Traceparent(t.Context()) != "" {
		t.Error("an empty context has ids")
	}
}
