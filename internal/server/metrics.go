package server

import (
	"net/http"
	"path"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc/codes"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/upstream/audian"
	"github.com/audian/participant-gateway/internal/watch"
)

// metrics are what the gateway counts. None of them has a label that a caller or a
// conference could fill.
type metrics struct {
	registry *prometheus.Registry

	calls     *prometheus.HistogramVec
	refused   *prometheus.CounterVec
	upstream  *prometheus.HistogramVec
	polls     *prometheus.HistogramVec
	changes   *prometheus.CounterVec
	detection prometheus.Histogram
	surplus   prometheus.Counter
	remaining prometheus.Gauge
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "gateway_call_duration_seconds", Help: "How long calls took, by method and gRPC code; a watch counts when it ends.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 9),
		}, []string{"method", "code"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gateway_refused_total", Help: "Calls that were turned away for who called or for what they took, by reason.",
		}, []string{"reason"}),
		upstream: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "gateway_upstream_request_duration_seconds",
			Help:    "How long upstream requests took, by operation and outcome: the HTTP status, or why there was none.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2.5, 9),
		}, []string{"operation", "outcome"}),
		polls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "gateway_poll_duration_seconds", Help: "How long polls took, by outcome: ok, or why there was no list.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2.5, 9),
		}, []string{"outcome"}),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gateway_changes_total", Help: "Changes of participants, by source: poll or gateway_write.",
		}, []string{"source"}),
		detection: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "gateway_detection_delay_seconds",
			Help:    "The longest that a change told by a poll may have waited: not_before to not_after.",
			Buckets: prometheus.ExponentialBuckets(0.25, 2, 9),
		}),
		surplus: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "gateway_list_surplus_learned_total",
			Help: "How often the upstream was found to count, always by the same number, more participants than it lists.",
		}),
		remaining: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "gateway_upstream_tokens_remaining", Help: "What the upstream last said is left of the account's request tokens.",
		}),
	}
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "gateway_panics_total", Help: "Panics that were recovered; each is logged with its stack.",
	}, func() float64 { return float64(panics.Recovered()) }))
	m.registry.MustRegister(
		m.calls, m.refused, m.upstream, m.polls, m.changes, m.detection, m.surplus, m.remaining,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// called counts one call.
func (m *metrics) called(method string, code codes.Code, took time.Duration) {
	m.calls.WithLabelValues(path.Base(method), code.String()).Observe(took.Seconds())
}

// refuse counts a call that was turned away; other reasons are not its business.
func (m *metrics) refuse(reason apierror.Reason) {
	if refusals[reason] {
		m.refused.WithLabelValues(string(reason)).Inc()
	}
}

// upstreamRequest counts one upstream request.
func (m *metrics) upstreamRequest(result audian.Result) {
	outcome := strconv.Itoa(result.Status)
	if result.Status == 0 {
		outcome = string(reasonOf(result.Err))
	}
	m.upstream.WithLabelValues(string(result.Operation), outcome).Observe(result.Elapsed.Seconds())
	if result.Remaining != nil {
		m.remaining.Set(float64(*result.Remaining))
	}
}

func reasonOf(err *apierror.Error) apierror.Reason {
	if err == nil {
		return ""
	}
	return err.Reason
}

var _ feed.Observer = (*metrics)(nil)

// Polled counts one poll.
func (m *metrics) Polled(took time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		outcome = string(apierror.ReasonOf(err))
	}
	m.polls.WithLabelValues(outcome).Observe(took.Seconds())
}

// Appended counts one entry's changes.
func (m *metrics) Appended(entry feed.Entry) {
	for _, change := range entry.Changes {
		if change.ByWrite {
			m.changes.WithLabelValues("gateway_write").Inc()
			continue
		}
		m.changes.WithLabelValues("poll").Inc()
		if !entry.NotBefore.IsZero() {
			m.detection.Observe(entry.NotAfter.Sub(entry.NotBefore).Seconds())
		}
	}
}

// SurplusLearned counts one number taken off the upstream's totals.
func (m *metrics) SurplusLearned(int) { m.surplus.Inc() }

// follow measures the feeds, their watchers and the keys file whenever somebody asks.
func (m *metrics) follow(hub *feed.Hub, watcher *watch.Watcher, policy access.Policy) {
	m.followKeys(policy)
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "gateway_subscribers", Help: "Watch streams that are open.",
	}, func() float64 { return float64(watcher.Subscribers()) }))
	m.registry.MustRegister(&feedCollector{hub: hub})
}

// followKeys measures whether the keys file can be used.
func (m *metrics) followKeys(policy access.Policy) {
	file, hasFile := policy.(interface{ Usable() bool })
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "gateway_keys_file_usable",
		Help: "1 while the keys in force are those of the keys file, or there is no such file; 0 while it cannot be used.",
	}, func() float64 {
		if hasFile && !file.Usable() {
			return 0
		}
		return 1
	}))
}

// feedCollector counts the feeds by freshness.
type feedCollector struct{ hub *feed.Hub }

var (
	feedsDesc     = prometheus.NewDesc("gateway_feeds", "Conferences that are polled, by freshness.", []string{"freshness"}, nil)
	stalenessDesc = prometheus.NewDesc("gateway_staleness_seconds",
		"The age of the oldest roster, counted from the start of its last complete list.", nil, nil)
)

// Describe names the measures.
func (c *feedCollector) Describe(out chan<- *prometheus.Desc) {
	out <- feedsDesc
	out <- stalenessDesc
}

// Collect reads the feeds as they are.
func (c *feedCollector) Collect(out chan<- prometheus.Metric) {
	var fresh, stale int
	var oldest time.Duration
	c.hub.Each(func(_ participant.Key, state *feed.State) {
		if state.Stale {
			stale++
		} else {
			fresh++
		}
		if !state.LastSuccess.IsZero() {
			oldest = max(oldest, time.Since(state.LastSuccess))
		}
	})
	out <- prometheus.MustNewConstMetric(feedsDesc, prometheus.GaugeValue, float64(fresh), "fresh")
	out <- prometheus.MustNewConstMetric(feedsDesc, prometheus.GaugeValue, float64(stale), "stale")
	out <- prometheus.MustNewConstMetric(stalenessDesc, prometheus.GaugeValue, oldest.Seconds())
}

// refusals are the reasons for which a call is turned away: for who calls, or for what
// it takes. They alone are labels of gateway_refused_total.
var refusals = map[apierror.Reason]bool{
	apierror.CredentialMissing:    true,
	apierror.CredentialInvalid:    true,
	apierror.CredentialExpired:    true,
	apierror.CredentialsDiffer:    true,
	apierror.IssuerUnavailable:    true,
	apierror.IssuerMismatch:       true,
	apierror.RoleNotGranted:       true,
	apierror.ConferenceNotGranted: true,
	apierror.OriginRefused:        true,
	apierror.HostRefused:          true,

	apierror.BodyTooLarge:       true,
	apierror.BodyTooSlow:        true,
	apierror.HeadersTooLarge:    true,
	apierror.CallerRateLimited:  true,
	apierror.TooManyStreams:     true,
	apierror.TooManySubscribers: true,
	apierror.TooManyConferences: true,
	apierror.TooManyFilters:     true,
}
