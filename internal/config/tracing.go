package config

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/audian/participant-gateway/internal/redact"
	"github.com/audian/participant-gateway/internal/tracing"
)

// Prefixes of OpenTelemetry's variables for OTLP: those for traces take precedence.
const (
	otlpTracesPrefix = "OTEL_EXPORTER_OTLP_TRACES_"
	otlpPrefix       = "OTEL_EXPORTER_OTLP_"
)

// Defaults of OpenTelemetry's specification.
const (
	defaultOTLPTimeout = 10 * time.Second
	defaultSpanDelay   = 5 * time.Second
	defaultSpanQueue   = 2048
	defaultSpanBatch   = 512
)

// resolveTracing reads the standard variables of OpenTelemetry. There are no flags for them. Traces
// are exported only if an endpoint or the exporter is set.
func (c *Config) resolveTracing(env *environment) error {
	on, err := env.exportsTraces()
	if err != nil || !on {
		return err
	}
	t := &c.Tracing
	t.ServiceName = env.value("OTEL_SERVICE_NAME")
	for _, read := range []func(*environment, *tracing.Options) error{
		readEndpoint, readOTLPHeaders, readOTLPLimits, readCollectorFiles, readResource, readSampler, readSpanQueue,
	} {
		if err := read(env, t); err != nil {
			return err
		}
	}
	return nil
}

// value returns the value of a variable without spaces around it.
func (e *environment) value(name string) string { return strings.TrimSpace(e.variables[name]) }

// otlp returns a variable for OTLP: its name, of which the one for traces takes precedence, and its
// value.
func (e *environment) otlp(setting string) (name, value string) {
	for _, prefix := range []string{otlpTracesPrefix, otlpPrefix} {
		if value := e.value(prefix + setting); value != "" {
			return prefix + setting, value
		}
	}
	return otlpPrefix + setting, ""
}

// exportsTraces reports whether traces are exported.
func (e *environment) exportsTraces() (bool, error) {
	const disabled, exporter = "OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER"
	switch value := strings.ToLower(e.value(disabled)); value {
	case "true":
		return false, nil
	case "", "false":
	default:
		return false, usageError("%s must be true or false but is %q", disabled, value)
	}
	switch value := e.value(exporter); value {
	case "none":
		return false, nil
	case "otlp":
		return true, nil
	case "":
		_, endpoint := e.otlp("ENDPOINT")
		return endpoint != "", nil
	default:
		return false, usageError("%s must be otlp or none but is %q", exporter, value)
	}
}

// readEndpoint sets the protocol and the endpoint. Without an endpoint it is the collector of this
// machine.
func readEndpoint(env *environment, t *tracing.Options) error {
	name, protocol := env.otlp("PROTOCOL")
	t.Protocol = cmp.Or(tracing.Protocol(protocol), tracing.HTTP)
	if t.Protocol != tracing.HTTP && t.Protocol != tracing.GRPC {
		return usageError("%s must be grpc or http/protobuf but is %q", name, protocol)
	}
	name, endpoint := env.otlp("ENDPOINT")
	if endpoint == "" {
		endpoint = map[tracing.Protocol]string{tracing.HTTP: "http://localhost:4318", tracing.GRPC: "http://localhost:4317"}[t.Protocol]
	}
	if err := checkURL(name, endpoint); err != nil {
		return err
	}
	if t.Protocol == tracing.HTTP && name != otlpTracesPrefix+"ENDPOINT" {
		endpoint = strings.TrimSuffix(endpoint, "/") + "/v1/traces"
	}
	t.Endpoint = endpoint
	return nil
}

// readOTLPHeaders sets the headers, which may be secrets: no error contains them.
func readOTLPHeaders(env *environment, t *tracing.Options) error {
	name, text := env.otlp("HEADERS")
	headers, ok := pairs(text)
	if !ok {
		return usageError("%s must be name=value pairs, separated by commas", name)
	}
	for key, value := range headers {
		if !isHeader(key, value) {
			return usageError("%s has a name or a value that no header can have", name)
		}
		if t.Headers == nil {
			t.Headers = map[string]redact.Secret{}
		}
		t.Headers[key] = redact.Secret(value)
	}
	return nil
}

// isHeader reports whether a header can have a name and a value.
func isHeader(name, value string) bool {
	invalid := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) }
	return !strings.ContainsFunc(name, invalid) &&
		!strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r > '~' })
}

func readOTLPLimits(env *environment, t *tracing.Options) error {
	name, compression := env.otlp("COMPRESSION")
	if !slices.Contains([]string{"", "none", "gzip"}, compression) {
		return usageError("%s must be gzip or none but is %q", name, compression)
	}
	t.Gzip = compression == "gzip"
	var err error
	name, timeout := env.otlp("TIMEOUT")
	t.Timeout, err = milliseconds(name, timeout, defaultOTLPTimeout)
	return err
}

// readCollectorFiles sets the files of TLS, and refuses those that cannot be used.
func readCollectorFiles(env *environment, t *tracing.Options) error {
	var ca, cert, key string
	ca, t.CAFile = env.otlp("CERTIFICATE")
	cert, t.CertFile = env.otlp("CLIENT_CERTIFICATE")
	key, t.KeyFile = env.otlp("CLIENT_KEY")
	switch {
	case t.CertFile != "" && t.KeyFile == "":
		return usageError("%s needs %s", cert, key)
	case t.CertFile == "" && t.KeyFile != "":
		return usageError("%s needs %s", key, cert)
	}
	if _, err := t.TLS(); err != nil {
		return usageError("%s or %s cannot be used: %v", ca, cert, err)
	}
	return nil
}

func readResource(env *environment, t *tracing.Options) error {
	const name = "OTEL_RESOURCE_ATTRIBUTES"
	var ok bool
	if t.Resource, ok = pairs(env.value(name)); !ok {
		return usageError("%s must be name=value pairs, separated by commas", name)
	}
	return nil
}

func readSampler(env *environment, t *tracing.Options) error {
	const name, argument = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
	known := []tracing.Sampler{
		tracing.AlwaysOn, tracing.AlwaysOff, tracing.Ratio, tracing.ParentOrOn, tracing.ParentOrOff, tracing.ParentOrRatio,
	}
	t.Sampler, t.SampleRatio = cmp.Or(tracing.Sampler(env.value(name)), tracing.ParentOrOn), 1
	if !slices.Contains(known, t.Sampler) {
		return usageError("%s must be one of %v but is %q", name, known, string(t.Sampler))
	}
	text := env.value(argument)
	if text == "" || t.Sampler != tracing.Ratio && t.Sampler != tracing.ParentOrRatio {
		return nil
	}
	ratio, err := strconv.ParseFloat(text, 64)
	if err != nil || !(ratio >= 0 && ratio <= 1) {
		return usageError("%s must be 0 to 1 but is %q", argument, text)
	}
	t.SampleRatio = ratio
	return nil
}

func readSpanQueue(env *environment, t *tracing.Options) error {
	const delay, queue, batch = "OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"
	var err error
	if t.Delay, err = milliseconds(delay, env.value(delay), defaultSpanDelay); err != nil {
		return err
	}
	if t.QueueSize, err = positive(queue, env.value(queue), defaultSpanQueue); err != nil {
		return err
	}
	if t.BatchSize, err = positive(batch, env.value(batch), min(defaultSpanBatch, t.QueueSize)); err != nil {
		return err
	}
	if t.BatchSize > t.QueueSize {
		return usageError("%s must be at most %s, %d, but is %d", batch, queue, t.QueueSize, t.BatchSize)
	}
	return nil
}

func milliseconds(name, text string, otherwise time.Duration) (time.Duration, error) {
	number, err := positive(name, text, int(otherwise/time.Millisecond))
	return time.Duration(number) * time.Millisecond, err
}

// maxNumber keeps durations in range, and queues in memory.
const maxNumber = 10_000_000

func positive(name, text string, otherwise int) (int, error) {
	if text == "" {
		return otherwise, nil
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < 1 || number > maxNumber {
		return 0, usageError("%s must be 1 to %d but is %q", name, maxNumber, text)
	}
	return number, nil
}

// pairs reads name=value pairs, separated by commas; the values are percent-encoded.
func pairs(text string) (_ map[string]string, ok bool) {
	if text == "" {
		return nil, true
	}
	found := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, hasValue := strings.Cut(pair, "=")
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		name = strings.TrimSpace(name)
		if !hasValue || name == "" || err != nil {
			return nil, false
		}
		found[name] = decoded
	}
	return found, true
}
