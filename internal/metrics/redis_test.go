package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/metrics"
)

// page returns the metrics as a collector reads them.
func page(m *metrics.Metrics) string {
	recorder := httptest.NewRecorder()
	m.Handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	return recorder.Body.String()
}

func TestRedisMetrics(t *testing.T) {
	m := metrics.New()
	if strings.Contains(page(m), "gateway_redis") {
		t.Error("there are metrics of Redis without Redis")
	}
	available := true
	m.ObserveRedis(func() bool { return available })
	m.RedisCalled(t.Context(), "append", "ok", time.Millisecond)
	m.RedisCalled(t.Context(), "append", "unavailable", time.Second)
	for _, want := range []string{
		"gateway_redis_available 1\n", `gateway_redis_call_duration_seconds_count{call="append",outcome="ok"} 1`,
		`gateway_redis_call_duration_seconds_sum{call="append",outcome="unavailable"} 1`,
	} {
		if text := page(m); !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	available = false
	if !strings.Contains(page(m), "gateway_redis_available 0\n") {
		t.Error("Redis is still available")
	}
}
