package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// newRedis returns the durations of calls of Redis, which also count its errors.
func newRedis() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(histogram("gateway_redis_call_duration_seconds",
		"Duration of calls of Redis, by command or script and outcome: ok, unavailable, error or cancelled. "+
			"A call while Redis is known to be away counts as unavailable.",
		prometheus.ExponentialBuckets(0.0002, 3, 9)), []string{"call", "outcome"})
}

// newTakeovers returns how often this replica polls what another one polled before.
func newTakeovers() prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{
		Name: "gateway_takeovers_total", Help: "Conferences that this replica polls and another one polled before.",
	})
}

// newFenced returns the commits that Redis refused.
func newFenced() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gateway_commits_refused_total",
		Help: "Commits to shared logs that Redis refused, by reason: fenced (a list whose lease was lost) or old (a write that " +
			"came more than 5 s after its answer).",
	}, []string{"reason"})
}

// RedisCalled counts a call of Redis. ctx contains its span.
func (m *Metrics) RedisCalled(ctx context.Context, call, outcome string, took time.Duration) {
	observe(ctx, m.redis.WithLabelValues(call, outcome), took)
}

// ObserveRedis adds the metric of a Redis that replicas share.
func (m *Metrics) ObserveRedis(available func() bool) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "gateway_redis_available", Help: "1 while Redis can be used, otherwise 0. Absent without --redis-url.",
	}, func() float64 {
		if available() {
			return 1
		}
		return 0
	}))
	for _, reason := range []string{"fenced", "old"} {
		m.fenced.WithLabelValues(reason) // It exists from the start, see startAtZero.
	}
}

// LeaseTaken counts a conference that this replica polls from now on.
func (m *Metrics) LeaseTaken(takeover bool) {
	if takeover {
		m.takeovers.Inc()
	}
}

// CommitRefused counts a commit that Redis refused, by outcome.
func (m *Metrics) CommitRefused(outcome string) { m.fenced.WithLabelValues(outcome).Inc() }
