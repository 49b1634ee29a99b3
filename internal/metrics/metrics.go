// Package metrics defines the gateway's Prometheus metrics. No label has values that callers
// choose.
package metrics

import (
	"context"
	"net/http"
	"path"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc/codes"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

// Metrics contains the metrics that the gateway's packages update.
type Metrics struct {
	registry *prometheus.Registry

	calls     *prometheus.HistogramVec
	refused   *prometheus.CounterVec
	upstream  *prometheus.HistogramVec
	polls     *prometheus.HistogramVec
	changes   *prometheus.CounterVec
	detection prometheus.Histogram
	surplus   prometheus.Counter
	remaining prometheus.Gauge
	redis     *prometheus.HistogramVec
	takeovers prometheus.Counter
	fenced    *prometheus.CounterVec
	audit     prometheus.Counter
	entries   *prometheus.CounterVec
}

// New returns the metrics, registered with a new registry.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewHistogramVec(histogram("gateway_call_duration_seconds",
			"Duration of calls, by method and gRPC code. A watch is counted when it ends.",
			prometheus.ExponentialBuckets(0.001, 4, 9)), []string{"method", "code"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gateway_refused_total", Help: "Calls that were refused because of the caller or a limit, by reason.",
		}, []string{"reason"}),
		upstream: prometheus.NewHistogramVec(histogram("gateway_upstream_request_duration_seconds",
			"Duration of upstream requests, by operation and outcome: the HTTP status, other for one that HTTP does not define, "+
				"or the reason if there is none.",
			prometheus.ExponentialBuckets(0.005, 2.5, 9)), []string{"operation", "outcome"}),
		polls: prometheus.NewHistogramVec(histogram("gateway_poll_duration_seconds",
			"Duration of polls, by outcome: ok, or the reason of the error.",
			prometheus.ExponentialBuckets(0.005, 2.5, 9)), []string{"outcome"}),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gateway_changes_total", Help: "Changes of participants, by source: poll or gateway_write.",
		}, []string{"source"}),
		detection: prometheus.NewHistogram(histogram("gateway_detection_delay_seconds",
			"The longest time that a change may have been unknown before a poll found it: not_before to not_after.",
			prometheus.ExponentialBuckets(0.25, 2, 9))),
		surplus: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "gateway_list_surplus_learned_total",
			Help: "How often the gateway learned that the upstream counts a constant number of participants that it does not list.",
		}),
		remaining: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "gateway_upstream_tokens_remaining",
			Help: "The request tokens that the account has left, as last reported by the upstream.",
		}),
		redis:     newRedis(),
		takeovers: newTakeovers(),
		fenced:    newFenced(),
		entries:   newEntries(),
		audit:     newAudit(),
	}
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "gateway_panics_total", Help: "Recovered panics. Each is logged with its stack.",
	}, func() float64 { return float64(panics.Recovered()) }))
	m.registry.MustRegister(
		m.calls, m.refused, m.upstream, m.polls, m.changes, m.detection, m.surplus, m.remaining, m.redis, m.takeovers, m.fenced,
		m.audit, m.entries,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m.startAtZero()
	return m
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// Called counts a call of a gRPC method. ctx contains its span.
func (m *Metrics) Called(ctx context.Context, method string, code codes.Code, took time.Duration) {
	observe(ctx, m.calls.WithLabelValues(path.Base(method), code.String()), took)
}

// Refused counts a refused call. It ignores reasons that are not in refusals.
func (m *Metrics) Refused(reason apierror.Reason) {
	if refusals[reason] {
		m.refused.WithLabelValues(string(reason)).Inc()
	}
}

// UpstreamRequest counts an upstream request. ctx contains its span.
func (m *Metrics) UpstreamRequest(ctx context.Context, result audian.Result) {
	observe(ctx, m.upstream.WithLabelValues(string(result.Operation), outcomeOf(result)), result.Elapsed)
	if result.Remaining != nil {
		m.remaining.Set(float64(*result.Remaining))
	}
}

// outcomeOf returns the HTTP status, or the reason without one. Statuses that HTTP does not define
// share a value, so that an upstream or a proxy cannot make any number of them.
func outcomeOf(result audian.Result) string {
	switch {
	case result.Status == 0:
		return string(reasonOf(result.Err))
	case http.StatusText(result.Status) == "":
		return "other"
	default:
		return strconv.Itoa(result.Status)
	}
}

func reasonOf(err *apierror.Error) apierror.Reason {
	if err == nil {
		return ""
	}
	return err.Reason
}

var _ feed.Observer = (*Metrics)(nil)

// Polled counts a poll. ctx contains its span.
func (m *Metrics) Polled(ctx context.Context, took time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		outcome = string(apierror.ReasonOf(err))
	}
	observe(ctx, m.polls.WithLabelValues(outcome), took)
}

// Appended counts the changes of a log entry.
func (m *Metrics) Appended(entry feed.Entry) {
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

// AuditFailed counts an error of the audit log.
func (m *Metrics) AuditFailed() { m.audit.Inc() }

func newAudit() prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{
		Name: "gateway_audit_errors_total", Help: "Lines that could not be written to the audit log, and failures to open it again.",
	})
}

func newEntries() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gateway_batch_entries_total",
		Help: "Entries of batches that have ended, by whether a phone was dialled: yes, no or unknown.",
	}, []string{"dialled"})
}

// EntryEnded counts an entry of a batch; dialled is yes, no or unknown.
func (m *Metrics) EntryEnded(dialled string) { m.entries.WithLabelValues(dialled).Inc() }

// SurplusLearned counts a new surplus of the upstream's total.
func (m *Metrics) SurplusLearned(int) { m.surplus.Inc() }

// refusals are the label values of gateway_refused_total: the reasons about callers and
// limits.
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
	apierror.NumberNotAllowed:     true,
	apierror.DailyLimit:           true,

	apierror.BodyTooLarge:       true,
	apierror.BodyTooSlow:        true,
	apierror.HeadersTooLarge:    true,
	apierror.CallerRateLimited:  true,
	apierror.TooManyStreams:     true,
	apierror.TooManySubscribers: true,
	apierror.TooManyConferences: true,
	apierror.TooManyFilters:     true,
}
