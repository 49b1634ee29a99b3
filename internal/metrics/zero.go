package metrics

// startAtZero makes the counters that alerts use exist from the start: Prometheus cannot see the first increase of a series that
// begins with 1.
func (m *Metrics) startAtZero() {
	for reason := range refusals {
		m.refused.WithLabelValues(string(reason))
	}
	for _, source := range []string{"poll", "gateway_write"} {
		m.changes.WithLabelValues(source)
	}
	for _, dialled := range []string{"yes", "no", "unknown"} {
		m.entries.WithLabelValues(dialled)
	}
}
