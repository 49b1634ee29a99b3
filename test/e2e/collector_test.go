package e2e_test

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/audian/participant-gateway/internal/simulator"
)

// span is an exported span, with its ids as trace contexts have them.
type span struct {
	*trace.Span

	trace, id, parent string
}

// link returns the id of the span that the first link names, or the empty string.
func (s span) link() string {
	if len(s.GetLinks()) == 0 {
		return ""
	}
	return hex.EncodeToString(s.GetLinks()[0].GetSpanId())
}

// attribute returns the text of an attribute, or the empty string.
func (s span) attribute(key string) string {
	for _, attribute := range s.GetAttributes() {
		if attribute.GetKey() == key {
			return attribute.GetValue().GetStringValue()
		}
	}
	return ""
}

// collected are the spans that a gateway has exported, and the trace contexts of its requests to the
// upstream.
type collected struct {
	mu       sync.Mutex
	spans    []span
	upstream map[string][]string
	requests int
}

// startTraced runs a gateway that exports to a collector, with the environment's further variables.
func startTraced(t *testing.T, options simulator.Options, environ []string) (*gateway, *collected) {
	t.Helper()
	c := &collected{upstream: map[string][]string{}}
	server := httptest.NewServer(http.HandlerFunc(c.export))
	t.Cleanup(server.Close)
	environ = append([]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + server.URL, "OTEL_BSP_SCHEDULE_DELAY=20"}, environ...)
	upstream := simulator.New(options)
	return startWith(t, upstream, c.observe(upstream.Handler()), environ), c
}

// export receives spans as a collector does.
func (c *collected) export(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var request collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &request) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests++
	for _, resource := range request.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				c.spans = append(c.spans, span{
					Span: s, trace: hex.EncodeToString(s.GetTraceId()),
					id: hex.EncodeToString(s.GetSpanId()), parent: hex.EncodeToString(s.GetParentSpanId()),
				})
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// observe keeps the trace contexts of requests, by method.
func (c *collected) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.upstream[r.Method] = append(c.upstream[r.Method], r.Header.Get("Traceparent"))
		c.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// sent returns the trace contexts of the requests to the upstream with a method.
func (c *collected) sent(method string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string{}, c.upstream[method]...)
}

// named returns the spans with a name.
func (c *collected) named(name string) []span {
	return c.where(func(s span) bool { return s.GetName() == name })
}

func (c *collected) where(is func(span) bool) []span {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []span
	for _, s := range c.spans {
		if is(s) {
			found = append(found, s)
		}
	}
	return found
}

// one waits for a span with a name, and returns the first.
func (g *gateway) one(c *collected, name string) span {
	g.t.Helper()
	g.eventually("a span "+name, func() bool { return len(c.named(name)) > 0 })
	return c.named(name)[0]
}

// traceparent returns the trace context of a sampled span.
func (s span) traceparent() string { return strings.Join([]string{"00", s.trace, s.id, "01"}, "-") }
