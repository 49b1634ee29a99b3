package metrics

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc/codes"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

// observed returns metrics with a sample of each.
func observed(ctx context.Context) *Metrics {
	m := New()
	m.ObserveBuild(Build{Version: "v1.2.3", Revision: "abc", GoVersion: "go1.26.6"})
	m.ObserveRedis(func() bool { return true })
	m.observeKeys(nil)
	m.Called(ctx, "/a.Service/Add", codes.OK, time.Second)
	m.Refused(apierror.CallerRateLimited)
	remaining := 7
	m.UpstreamRequest(ctx, audian.Result{Operation: audian.Add, Status: 200, Elapsed: time.Second, Remaining: &remaining})
	m.Polled(ctx, time.Second, nil)
	m.Appended(feed.Entry{})
	m.AuditFailed()
	m.EntryEnded("yes")
	m.SurplusLearned(1)
	m.RedisCalled(ctx, "append", "ok", time.Second)
	m.LeaseTaken(true)
	m.CommitRefused("fenced")
	return m
}

func TestNamesFollowTheConventions(t *testing.T) {
	problems, err := testutil.GatherAndLint(observed(t.Context()).registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
}

func TestEveryHistogramIsClassicAndNative(t *testing.T) {
	families, err := observed(t.Context()).registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			h := metric.GetHistogram()
			if h == nil || !strings.HasPrefix(family.GetName(), "gateway_") {
				continue
			}
			found++
			if h.Schema == nil || len(h.GetBucket()) == 0 {
				t.Errorf("%s is not both", family.GetName())
			}
		}
	}
	if found != 5 {
		t.Errorf("found %d histograms, want 5", found)
	}
}

// scrape returns the page in the OpenMetrics format.
func scrape(m *Metrics) string {
	request := httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody)
	request.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	recorder := httptest.NewRecorder()
	m.Handler().ServeHTTP(recorder, request)
	return recorder.Body.String()
}

func TestExemplarsAreSampledTraces(t *testing.T) {
	for name, sampler := range map[string]sdktrace.Sampler{"sampled": sdktrace.AlwaysSample(), "not sampled": sdktrace.NeverSample()} {
		provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler))
		ctx, span := provider.Tracer("test").Start(t.Context(), "span")
		page := scrape(observed(ctx))
		span.End()
		exemplar := `# {trace_id="` + span.SpanContext().TraceID().String() + `"}`
		want := map[string]int{"sampled": 4, "not sampled": 0}[name]
		if got := strings.Count(page, exemplar); got != want {
			t.Errorf("%s: %d exemplars, want %d", name, got, want)
		}
		if err := provider.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestBuildInfo(t *testing.T) {
	want := `gateway_build_info{goversion="go1.26.6",revision="abc",version="v1.2.3"} 1`
	if page := scrape(observed(t.Context())); !strings.Contains(page, want) {
		t.Errorf("the page lacks %s", want)
	}
}

func TestUnknownStatusesShareALabel(t *testing.T) {
	m := New()
	for _, status := range []int{404, 520, 799} {
		m.UpstreamRequest(t.Context(), audian.Result{Operation: audian.List, Status: status})
	}
	page := scrape(m)
	for _, want := range []string{
		`gateway_upstream_request_duration_seconds_count{operation="list",outcome="404"} 1`,
		`gateway_upstream_request_duration_seconds_count{operation="list",outcome="other"} 2`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}
