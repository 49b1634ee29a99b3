package metrics

import "github.com/prometheus/client_golang/prometheus"

// Build is what the program was built from.
type Build struct {
	// Version is that of the gateway, Revision the commit, or empty if unknown, and GoVersion that
	// of the compiler.
	Version, Revision, GoVersion string
}

// ObserveBuild adds the metric that names the running version.
func (m *Metrics) ObserveBuild(build Build) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "gateway_build_info", Help: "Always 1. The labels name the version, the commit and the Go version of the program.",
		ConstLabels: prometheus.Labels{"version": build.Version, "revision": build.Revision, "goversion": build.GoVersion},
	}, func() float64 { return 1 }))
}
