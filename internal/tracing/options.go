// Package tracing exports the gateway's spans with OpenTelemetry's SDK, over OTLP.
//
// Export never delays a call: spans wait in a queue, and are dropped when it is full.
package tracing

import (
	"time"

	"github.com/audian/participant-gateway/internal/redact"
)

// Protocol is the transport of OTLP.
type Protocol string

// The protocols.
const (
	GRPC Protocol = "grpc"
	HTTP Protocol = "http/protobuf"
)

// Sampler decides which traces are recorded.
type Sampler string

// The samplers. Those of the parent follow the caller's decision, and decide only for traces that
// the gateway begins.
const (
	AlwaysOn      Sampler = "always_on"
	AlwaysOff     Sampler = "always_off"
	Ratio         Sampler = "traceidratio"
	ParentOrOn    Sampler = "parentbased_always_on"
	ParentOrOff   Sampler = "parentbased_always_off"
	ParentOrRatio Sampler = "parentbased_traceidratio"
)

// Options configure the export. The zero value exports nothing.
type Options struct {
	// Endpoint is the collector's URL, for HTTP with its path; empty if nothing is exported.
	Endpoint string
	Protocol Protocol
	// Headers go with each request to the collector.
	Headers map[string]redact.Secret
	Gzip    bool
	// Timeout bounds one request to the collector.
	Timeout time.Duration
	// CAFile has the authorities of the collector's certificate (PEM); empty: the system's.
	// CertFile and KeyFile are the gateway's own certificate; empty: none.
	CAFile, CertFile, KeyFile string

	// ServiceName and Resource describe the process.
	ServiceName string
	Resource    map[string]string

	Sampler Sampler
	// SampleRatio is the share of traces for the samplers with a ratio, 0 to 1.
	SampleRatio float64

	// Delay is the longest time between the end of a span and its export, QueueSize is how many
	// spans may wait, and BatchSize how many one request contains.
	Delay                time.Duration
	QueueSize, BatchSize int
}

// On reports whether anything is exported.
func (o Options) On() bool { return o.Endpoint != "" }
