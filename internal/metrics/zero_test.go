package metrics_test

import (
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/metrics"
)

// TestCountersStartAtZero checks counters with labels: an alert misses the first increase of one that begins with 1.
func TestCountersStartAtZero(t *testing.T) {
	m := metrics.New()
	m.ObserveRedis(func() bool { return true })
	text := page(m)
	for _, want := range []string{
		`gateway_refused_total{reason="DAILY_LIMIT"} 0`, `gateway_changes_total{source="poll"} 0`,
		`gateway_batch_entries_total{dialled="unknown"} 0`, `gateway_commits_refused_total{reason="fenced"} 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %q in %s", want, text)
		}
	}
}
