package config_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/redact"
	"github.com/audian/participant-gateway/internal/tracing"
)

// traced returns an environment with traces and one further variable.
func traced(name, value string) environ {
	return environ{"OTEL_TRACES_EXPORTER": "otlp", name: value}
}

func TestTracesAreOff(t *testing.T) {
	for name, env := range map[string]environ{
		"unset":         nil,
		"empty":         {"OTEL_EXPORTER_OTLP_ENDPOINT": " "},
		"other signals": {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://a", "OTEL_SERVICE_NAME": "gateway"},
		"no exporter":   {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_TRACES_EXPORTER": "none"},
		"disabled":      {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_SDK_DISABLED": "TRUE"},
	} {
		if got := parse(t, []string{"--demo"}, env).Tracing; got.On() || !reflect.DeepEqual(got, tracing.Options{}) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestTracesByDefault(t *testing.T) {
	got := parse(t, []string{"--demo"}, environ{"OTEL_TRACES_EXPORTER": "otlp"}).Tracing
	want := tracing.Options{
		Endpoint: "http://localhost:4318/v1/traces", Protocol: tracing.HTTP, Timeout: 10 * time.Second,
		Sampler: tracing.ParentOrOn, SampleRatio: 1, Delay: 5 * time.Second, QueueSize: 2048, BatchSize: 512,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestEndpointOfTraces(t *testing.T) {
	for _, test := range []struct {
		env  environ
		want string
	}{
		{environ{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://a.example/otlp/"}, "https://a.example/otlp/v1/traces"},
		{environ{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://a.example/otlp"}, "https://a.example/otlp"},
		{environ{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b:2"}, "http://b:2"},
		{environ{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http://a:4317"},
		{traced("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"), "http://localhost:4317"},
	} {
		if got := parse(t, []string{"--demo"}, test.env).Tracing.Endpoint; got != test.want {
			t.Errorf("%v: got %q, want %q", test.env, got, test.want)
		}
	}
}

func TestEverySettingOfTraces(t *testing.T) {
	got := parse(t, []string{"--demo"}, environ{
		"OTEL_EXPORTER_OTLP_ENDPOINT":        "http://a:1",
		"OTEL_EXPORTER_OTLP_HEADERS":         "ignored=1",
		"OTEL_EXPORTER_OTLP_TRACES_HEADERS":  "Authorization=Bearer%20token, x-team = a+b",
		"OTEL_EXPORTER_OTLP_COMPRESSION":     "gzip",
		"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT":  "1500",
		"OTEL_SERVICE_NAME":                  "gateway",
		"OTEL_RESOURCE_ATTRIBUTES":           "deployment.environment=staging,region=eu%2C1",
		"OTEL_TRACES_SAMPLER":                "parentbased_traceidratio",
		"OTEL_TRACES_SAMPLER_ARG":            "0.25",
		"OTEL_BSP_SCHEDULE_DELAY":            "20",
		"OTEL_BSP_MAX_QUEUE_SIZE":            "64",
		"OTEL_BSP_MAX_EXPORT_BATCH_SIZE":     "32",
		"OTEL_EXPORTER_OTLP_METRICS_TIMEOUT": "of another signal",
	}).Tracing
	want := tracing.Options{
		Endpoint: "http://a:1/v1/traces", Protocol: tracing.HTTP, Gzip: true, Timeout: 1500 * time.Millisecond,
		Headers:     map[string]redact.Secret{"Authorization": "Bearer token", "x-team": "a+b"},
		ServiceName: "gateway", Resource: map[string]string{"deployment.environment": "staging", "region": "eu,1"},
		Sampler: tracing.ParentOrRatio, SampleRatio: 0.25, Delay: 20 * time.Millisecond, QueueSize: 64, BatchSize: 32,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
