package tracing_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/audian/participant-gateway/internal/redact"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/tracing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// options export each span at once.
func options(endpoint string) tracing.Options {
	return tracing.Options{
		Endpoint: endpoint, Protocol: tracing.HTTP, Timeout: time.Minute, Sampler: tracing.ParentOrOn, SampleRatio: 1,
		Delay: time.Millisecond, QueueSize: 4, BatchSize: 1,
	}
}

func provider(t *testing.T, options tracing.Options, logger *slog.Logger) *tracing.Provider {
	t.Helper()
	p, err := tracing.New(options, "v1.2.3", logger)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var discarded = slog.New(slog.DiscardHandler)

func TestNothingIsExportedWithoutAnEndpoint(t *testing.T) {
	p := provider(t, tracing.Options{}, discarded)
	if p.Tracer() != nil {
		t.Error("there is a tracer")
	}
	p.Close(t.Context())
}

// TestASilentCollectorDelaysNothing ends more spans than may wait for a collector that does not
// answer.
func TestASilentCollectorDelaysNothing(t *testing.T) {
	released, asked := make(chan struct{}), make(chan struct{})
	ask := sync.OnceFunc(func() { close(asked) })
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ask()
		select {
		case <-released:
		case <-r.Context().Done():
		}
	}))
	defer silent.Close()
	defer close(released)
	p := provider(t, options(silent.URL), discarded)
	began := time.Now()
	for range 1000 {
		_, span := p.Tracer().Start(t.Context(), "span")
		span.End()
	}
	<-asked
	p.Close(t.Context())
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

// grpcCollector receives spans over gRPC.
type grpcCollector struct {
	collector.UnimplementedTraceServiceServer

	received chan *collector.ExportTraceServiceRequest
	headers  chan metadata.MD
}

func (c *grpcCollector) Export(
	ctx context.Context, request *collector.ExportTraceServiceRequest,
) (*collector.ExportTraceServiceResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	c.received <- request
	c.headers <- md
	return &collector.ExportTraceServiceResponse{}, nil
}

func TestExportOverGRPC(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &grpcCollector{received: make(chan *collector.ExportTraceServiceRequest, 1), headers: make(chan metadata.MD, 1)}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, c)
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()

	o := options("http://" + listener.Addr().String())
	o.Protocol, o.Gzip, o.ServiceName = tracing.GRPC, true, "named"
	o.Headers = map[string]redact.Secret{"x-team": "blue"}
	o.Resource = map[string]string{"service.name": "overridden", "region": "eu"}
	p := provider(t, o, discarded)
	_, span := p.Tracer().Start(t.Context(), "span")
	span.End()
	p.Close(t.Context())
	if got := (<-c.headers).Get("x-team"); len(got) != 1 || got[0] != "blue" {
		t.Errorf("the header is %v", got)
	}
	described := map[string]string{}
	for _, attribute := range (<-c.received).GetResourceSpans()[0].GetResource().GetAttributes() {
		described[attribute.GetKey()] = attribute.GetValue().GetStringValue()
	}
	if described["service.name"] != "named" || described["region"] != "eu" || described["service.version"] != "v1.2.3" {
		t.Errorf("the process is described as %v", described)
	}
}

func TestErrorsAreLoggedOnceAMinute(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer refusing.Close()
	var text bytes.Buffer
	o := options(refusing.URL)
	o.QueueSize = 100
	p := provider(t, o, slog.New(slog.NewTextHandler(&text, nil)))
	for range 10 {
		_, span := p.Tracer().Start(t.Context(), "span")
		span.End()
	}
	p.Close(t.Context())
	if lines := strings.Count(text.String(), "\n"); lines != 1 || !strings.Contains(text.String(), "traces were not exported") {
		t.Errorf("got %d lines:\n%s", lines, &text)
	}
}

// linked are the options of a span with a trace of its own, linked to a span with these flags.
func linked(flags trace.TraceFlags) []trace.SpanStartOption {
	to := requestctx.NewTrace().WithTraceFlags(flags)
	return []trace.SpanStartOption{trace.WithNewRoot(), trace.WithLinks(trace.Link{SpanContext: to})}
}

func TestSamplers(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	const on, off = trace.FlagsSampled, trace.TraceFlags(0)
	for _, test := range []struct {
		sampler tracing.Sampler
		ratio   float64
		// Whether the gateway's own trace is sampled, and that of a caller who does and does not sample.
		own, under, underNone bool
	}{
		{tracing.AlwaysOn, 0, true, true, true},
		{tracing.AlwaysOff, 1, false, false, false},
		{tracing.Ratio, 1, true, true, true},
		{tracing.Ratio, 0, false, false, false},
		{tracing.ParentOrOn, 0, true, true, false},
		{tracing.ParentOrOff, 1, false, true, false},
		{tracing.ParentOrRatio, 1, true, true, false},
		{tracing.ParentOrRatio, 0, false, true, false},
	} {
		o := options(server.URL)
		o.Sampler, o.SampleRatio = test.sampler, test.ratio
		p := provider(t, o, discarded)
		sampled := func(ctx context.Context, options ...trace.SpanStartOption) bool {
			_, span := p.Tracer().Start(ctx, "span", options...)
			defer span.End()
			return span.SpanContext().IsSampled()
		}
		under := func(flags trace.TraceFlags) context.Context {
			return trace.ContextWithRemoteSpanContext(t.Context(), requestctx.NewTrace().WithTraceFlags(flags))
		}
		got := []bool{
			sampled(t.Context()), sampled(under(on)), sampled(under(off)),
			sampled(t.Context(), linked(on)...), sampled(t.Context(), linked(off)...),
		}
		want := []bool{test.own, test.under, test.underNone, true, test.own}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s, %v: got %v, want %v", test.sampler, test.ratio, got, want)
				break
			}
		}
		p.Close(t.Context())
	}
}

func TestRootGetsTheIDsThatTheCallerWasTold(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	p := provider(t, options(server.URL), discarded)
	defer p.Close(t.Context())
	given := requestctx.NewTrace()
	_, root := p.Tracer().Start(requestctx.WithRootIDs(t.Context(), given), "root")
	defer root.End()
	if got := root.SpanContext(); got.TraceID() != given.TraceID() || got.SpanID() != given.SpanID() {
		t.Errorf("got %v, want %v", got, given)
	}
	_, other := p.Tracer().Start(t.Context(), "other")
	defer other.End()
	if !other.SpanContext().IsValid() || other.SpanContext().TraceID() == given.TraceID() {
		t.Errorf("another root has the ids %v", other.SpanContext())
	}
}
