package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

// Observe adds the metrics that are read when they are collected: those of the feeds, the
// subscriptions and the keys file.
func (m *Metrics) Observe(hub *feed.Hub, watcher *watch.Watcher, authenticator access.Authenticator) {
	m.observeKeys(authenticator)
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "gateway_subscribers", Help: "Open watch streams. A stream of several conferences counts once for each.",
	}, func() float64 { return float64(watcher.Subscribers()) }))
	m.registry.MustRegister(&feedCollector{hub: hub})
}

func (m *Metrics) observeKeys(authenticator access.Authenticator) {
	file, hasFile := authenticator.(interface{ Usable() bool })
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "gateway_keys_file_usable",
		Help: "0 while the keys file cannot be used, so that earlier keys stay valid; otherwise 1.",
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
	feedsDesc  = prometheus.NewDesc("gateway_feeds", "Polled conferences, by freshness.", []string{"freshness"}, nil)
	polledDesc = prometheus.NewDesc("gateway_conferences",
		"Watched conferences by who polls them: this replica (polled) or another one (followed).", []string{"role"}, nil)
	stalenessDesc = prometheus.NewDesc("gateway_staleness_seconds",
		"Age of the oldest roster, from the start of its last complete list.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c *feedCollector) Describe(out chan<- *prometheus.Desc) {
	out <- feedsDesc
	out <- polledDesc
	out <- stalenessDesc
}

// Collect implements prometheus.Collector.
func (c *feedCollector) Collect(out chan<- prometheus.Metric) {
	var fresh, stale, polled, followed int
	var oldest time.Duration
	c.hub.Each(func(_ participant.Key, state *feed.State) {
		if state.Stale {
			stale++
		} else {
			fresh++
		}
		if state.Polled {
			polled++
		} else {
			followed++
		}
		if !state.LastSuccess.IsZero() {
			oldest = max(oldest, time.Since(state.FreshAt))
		}
	})
	out <- prometheus.MustNewConstMetric(feedsDesc, prometheus.GaugeValue, float64(fresh), "fresh")
	out <- prometheus.MustNewConstMetric(feedsDesc, prometheus.GaugeValue, float64(stale), "stale")
	out <- prometheus.MustNewConstMetric(polledDesc, prometheus.GaugeValue, float64(polled), "polled")
	out <- prometheus.MustNewConstMetric(polledDesc, prometheus.GaugeValue, float64(followed), "followed")
	out <- prometheus.MustNewConstMetric(stalenessDesc, prometheus.GaugeValue, oldest.Seconds())
}
