package bench_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/metadata"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/interceptor"
	"github.com/audian/participant-gateway/internal/metrics"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/tracing"
)

// callerTraceparent is a trace context that leaves the decision to the gateway's sampler: the
// samplers of the benchmarks do not follow the caller.
const callerTraceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// tracers are the ways of tracing: not at all, a hundredth of the calls, and all of them.
var tracers = []struct {
	way     string
	sampler tracing.Sampler
	ratio   float64
}{
	{way: "unset"},
	{way: "ratio", sampler: tracing.Ratio, ratio: 0.01},
	{way: "sampled", sampler: tracing.AlwaysOn},
}

// tracer returns a tracer that exports to a collector; nil without a sampler.
func tracer(b *testing.B, sampler tracing.Sampler, ratio float64) trace.Tracer {
	b.Helper()
	if sampler == "" {
		return nil
	}
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	b.Cleanup(collector.Close)
	provider, err := tracing.New(tracing.Options{
		Endpoint: collector.URL, Protocol: tracing.HTTP, Timeout: time.Second, Sampler: sampler, SampleRatio: ratio,
		Delay: time.Second, QueueSize: 2048, BatchSize: 512,
	}, "bench", slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { provider.Close(context.WithoutCancel(b.Context())) })
	return provider.Tracer()
}

// answering is a service that answers with a request to the upstream, without sending it.
type answering struct {
	v2.UnimplementedParticipantServiceServer
}

func (answering) GetParticipant(ctx context.Context, _ *v2.GetParticipantRequest) (*v2.GetParticipantResponse, error) {
	ctx, span := requestctx.StartSpan(ctx, "upstream list")
	defer span.End()
	if requestctx.Traceparent(ctx) == "" {
		return nil, context.Canceled
	}
	return &v2.GetParticipantResponse{}, nil
}

// BenchmarkTracedCall measures a unary call in the process, with one request to the upstream: with
// everything that the interceptor does.
func BenchmarkTracedCall(b *testing.B) {
	for _, traced := range tracers {
		b.Run("way="+traced.way, func(b *testing.B) {
			calls := interceptor.New(interceptor.Options{
				Authenticator: access.NewNoAuth(), Streams: interceptor.NewStreams(0), Metrics: metrics.New(),
				Logger: slog.New(slog.NewJSONHandler(discard{}, nil)), Tracer: tracer(b, traced.sampler, traced.ratio),
			})
			service := calls.Wrap(answering{})
			ctx := metadata.NewIncomingContext(b.Context(), metadata.Pairs("traceparent", callerTraceparent))
			request := &v2.GetParticipantRequest{ConferenceId: "conf_bench", ParticipantId: "part_000001"}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := service.GetParticipant(ctx, request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// discard drops the log, after it was formatted.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// contextForm and contextKey are how a gateway without traces would pass the trace context on.
var contextForm = regexp.MustCompile(`^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$`)

type contextKey struct{}

// BenchmarkTraceContext measures only what traces add to a call: way=plain passes the caller's trace
// context on as a text.
func BenchmarkTraceContext(b *testing.B) {
	b.Run("way=plain", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !contextForm.MatchString(callerTraceparent) {
				b.Fatal("invalid")
			}
			ctx := context.WithValue(b.Context(), contextKey{}, callerTraceparent)
			if ctx.Value(contextKey{}) == nil {
				b.Fatal("lost")
			}
		}
	})
	b.Run("way=unset", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			caller, _ := requestctx.ParseTraceparent(callerTraceparent)
			ctx := trace.ContextWithRemoteSpanContext(b.Context(), caller)
			ctx, span := requestctx.StartSpan(ctx, "upstream list")
			if requestctx.Traceparent(ctx) == "" {
				b.Fatal("lost")
			}
			requestctx.EndSpan(span, nil)
		}
	})
}
