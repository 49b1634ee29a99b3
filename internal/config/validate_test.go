package config_test

import (
	"maps"
	"strings"
	"testing"
)

func TestWrongValues(t *testing.T) {
	for _, test := range []struct {
		args []string
		env  environ
		want string
	}{
		{[]string{"--poll-interval=soon"}, nil, `--poll-interval: expected duration but got "soon"`},
		{nil, environ{"GATEWAY_POLL_INTERVAL": "soon"}, `GATEWAY_POLL_INTERVAL: expected duration but got "soon"`},
		{[]string{"--poll-interval=0s"}, nil, "--poll-interval must be at least 1ms but is 0s"},
		{[]string{"--poll-interval=-1s"}, nil, "--poll-interval must be at least 1ms but is -1s"},
		{[]string{"--poll-interval=1ns"}, nil, "--poll-interval must be at least 1ms but is 1ns"},
		{[]string{"--max-poll-interval=1000h"}, nil, "--max-poll-interval must be at most 720h0m0s but is 1000h0m0s"},
		{nil, environ{"GATEWAY_LINGER": "2562047h"}, "GATEWAY_LINGER must be at most 720h0m0s but is 2562047h0m0s"},
		{[]string{"--drain-timeout=99999h"}, nil, "--drain-timeout must be at most 720h0m0s"},
		{[]string{"--drain-delay=99999h"}, nil, "--drain-delay must be at most 720h0m0s"},
		{[]string{"--max-stream-age=99999h"}, nil, "--max-stream-age must be at most 720h0m0s"},
		{[]string{"--max-stream-age=1ns"}, nil, "--max-stream-age must be 0 (never) or at least 100ms but is 1ns"},
		{[]string{"--history=1000001"}, nil, "--history must be 1 to 1000000 but is 1000001"},
		{[]string{"--history=9223372036854775808"}, nil, "--history: "},
		{[]string{"--poll-interval=10s"}, nil, "--max-poll-interval must be at least the poll interval, 10s, but is 5s"},
		{nil, environ{"GATEWAY_MAX_POLL_INTERVAL": "500ms"}, "GATEWAY_MAX_POLL_INTERVAL must be at least the poll interval, 1s, but is 500ms"},
		{[]string{"--poll-rate=0"}, nil, "--poll-rate must be 1 to 1000 but is 0"},
		{[]string{"--poll-rate=1001"}, nil, "--poll-rate must be 1 to 1000 but is 1001"},
		{[]string{"--poll-rate=fast"}, nil, `--poll-rate: expected a valid 64 bit int but got "fast"`},
		{[]string{"--linger=-1s"}, nil, "--linger must not be negative but is -1s"},
		{[]string{"--history=0"}, nil, "--history must be 1 to 1000000 but is 0"},
		{nil, environ{"GATEWAY_HISTORY": "-3"}, "GATEWAY_HISTORY must be 1 to 1000000 but is -3"},
		{[]string{"--max-stream-age=-1m"}, nil, "--max-stream-age must be 0 (never) or at least 100ms but is -1m0s"},
		{[]string{"--max-subscribers=-1"}, nil, "--max-subscribers must not be negative but is -1"},
		{[]string{"--max-conferences=-1"}, nil, "--max-conferences must not be negative but is -1"},
		{[]string{"--max-streams-per-caller=-1"}, nil, "--max-streams-per-caller must not be negative but is -1"},
		{nil, environ{"GATEWAY_MAX_CALLS_PER_SECOND": "-1"}, "GATEWAY_MAX_CALLS_PER_SECOND must not be negative but is -1"},
		{[]string{"--drain-timeout=0"}, nil, "--drain-timeout must be more than 0 but is 0s"},
		{[]string{"--drain-delay=-1ns"}, nil, "--drain-delay must not be negative but is -1ns"},
		{[]string{"--phone-validation=none"}, nil, `--phone-validation must be one of "e164","length" but got "none"`},
		{[]string{"--default-region=XX"}, nil, `--default-region must be a two-letter region such as US but is "XX"`},
		{nil, environ{"OTEL_SDK_DISABLED": "yes"}, `OTEL_SDK_DISABLED must be true or false but is "yes"`},
		{nil, environ{"OTEL_TRACES_EXPORTER": "zipkin"}, `OTEL_TRACES_EXPORTER must be otlp or none but is "zipkin"`},
		{nil, environ{"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4317"}, `OTEL_EXPORTER_OTLP_ENDPOINT must be an http or https URL but is "localhost:4317"`},
		{nil, environ{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a:1/?q"}, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must have no query or fragment"},
		{nil, traced("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"), `OTEL_EXPORTER_OTLP_PROTOCOL must be grpc or http/protobuf but is "http/json"`},
		{nil, traced("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "udp"), `OTEL_EXPORTER_OTLP_TRACES_PROTOCOL must be grpc or http/protobuf but is "udp"`},
		{nil, traced("OTEL_EXPORTER_OTLP_HEADERS", "s3cret"), "OTEL_EXPORTER_OTLP_HEADERS must be name=value pairs, separated by commas"},
		{nil, traced("OTEL_EXPORTER_OTLP_HEADERS", "a=%zz"), "OTEL_EXPORTER_OTLP_HEADERS must be name=value pairs, separated by commas"},
		{nil, traced("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=%0As3cret"), "OTEL_EXPORTER_OTLP_TRACES_HEADERS has a name or a value that no header can have"},
		{nil, traced("OTEL_EXPORTER_OTLP_COMPRESSION", "zip"), `OTEL_EXPORTER_OTLP_COMPRESSION must be gzip or none but is "zip"`},
		{nil, traced("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"), `OTEL_EXPORTER_OTLP_TIMEOUT must be 1 to 10000000 but is "10s"`},
		{nil, traced("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere/ca"), "OTEL_EXPORTER_OTLP_CERTIFICATE or OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE cannot be used: "},
		{nil, traced("OTEL_EXPORTER_OTLP_CERTIFICATE", "validate_test.go"), "cannot be used: the file of the authorities contains no certificate"},
		{nil, traced("OTEL_EXPORTER_OTLP_CLIENT_KEY", "k"), "OTEL_EXPORTER_OTLP_CLIENT_KEY needs OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"},
		{nil, traced("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "c"), "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE needs OTEL_EXPORTER_OTLP_CLIENT_KEY"},
		{nil, traced("OTEL_RESOURCE_ATTRIBUTES", "=a"), "OTEL_RESOURCE_ATTRIBUTES must be name=value pairs, separated by commas"},
		{nil, traced("OTEL_TRACES_SAMPLER", "jaeger_remote"), `OTEL_TRACES_SAMPLER must be one of [always_on always_off traceidratio parentbased_always_on parentbased_always_off parentbased_traceidratio] but is "jaeger_remote"`},
		{nil, environ{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "1.1"}, `OTEL_TRACES_SAMPLER_ARG must be 0 to 1 but is "1.1"`},
		{nil, environ{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "NaN"}, `OTEL_TRACES_SAMPLER_ARG must be 0 to 1 but is "NaN"`},
		{nil, traced("OTEL_BSP_SCHEDULE_DELAY", "0"), `OTEL_BSP_SCHEDULE_DELAY must be 1 to 10000000 but is "0"`},
		{nil, traced("OTEL_BSP_MAX_QUEUE_SIZE", "many"), `OTEL_BSP_MAX_QUEUE_SIZE must be 1 to 10000000 but is "many"`},
		{nil, traced("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096"), "OTEL_BSP_MAX_EXPORT_BATCH_SIZE must be at most OTEL_BSP_MAX_QUEUE_SIZE, 2048, but is 4096"},
		{[]string{"--auth=basic"}, nil, `--auth must be one of "none","passthrough","keys","oidc" but got "basic"`},
		{nil, environ{"GATEWAY_AUTH": "basic"}, `GATEWAY_AUTH must be one of "none","passthrough","keys","oidc" but got "basic"`},
		{[]string{"--cors-allowed-origins=https://a.example,*"}, nil, `but contains "*"`},
		{[]string{"--cors-allowed-origins=https://a.example/app"}, nil, `but contains "https://a.example/app"`},
		{[]string{"--cors-allowed-origins=https://ada:s3cret@a.example"}, nil, "--cors-allowed-origins must not contain a user or password; its value is not shown"},
		{[]string{"--allowed-hosts=https://a.example"}, nil, `but contains "https://a.example"`},
		{nil, environ{"GATEWAY_ALLOWED_HOSTS": "a.example, b.example"}, `but contains " b.example"`},
		{[]string{"--allow-prefix=44"}, nil, `--allow-prefix: a prefix must be a plus and 1 to 15 digits, such as +1 or +4420, but is "44"`},
		{[]string{"--allow-prefix=+1", "--allow-prefix="}, nil, `--allow-prefix: a prefix must be`},
		{[]string{"--allow-prefix="}, nil, `such as +1 or +4420, but is ""`},
		{[]string{"--allow-prefix=+1,"}, nil, `--allow-prefix: a prefix must be`},
		{[]string{"--allow-prefix=+0"}, nil, `but is "+0"`},
		{[]string{"--allow-prefix=+1*"}, nil, `but is "+1*"`},
		{nil, environ{"GATEWAY_ALLOW_PREFIX": "+1, +44"}, `GATEWAY_ALLOW_PREFIX: a prefix must be a plus and 1 to 15 digits, such as +1 or +4420, but is " +44"`},
		{[]string{"--adds-per-day=0"}, nil, "--adds-per-day: the adds per day must be 1 to 1000000000 but are 0"},
		{[]string{"--adds-per-day=-1"}, nil, "--adds-per-day: the adds per day must be 1 to 1000000000 but are -1"},
		{nil, environ{"GATEWAY_ADDS_PER_DAY": "1000000001"}, "GATEWAY_ADDS_PER_DAY: the adds per day must be"},
		{nil, environ{"GATEWAY_ADDS_PER_DAY": "many"}, `GATEWAY_ADDS_PER_DAY: expected a valid 64 bit int but got "many"`},
		{[]string{"--log-format=xml"}, nil, `--log-format must be one of`},
		{[]string{"--log-level=loud"}, nil, `--log-level: slog: level string "loud": unknown name`},
		{nil, environ{"GATEWAY_DEMO": "maybe"}, `GATEWAY_DEMO: bool value must be true, 1, yes, false, 0 or no but got "maybe"`},
		{[]string{"--bogus"}, nil, "unknown flag --bogus"},
		{[]string{"--linger"}, nil, "--linger: expected duration value"},
	} {
		env := environ{"AUDIAN_API_KEY": "k"}
		maps.Copy(env, test.env)
		if got := parseError(t, test.args, env); !strings.Contains(got, test.want) {
			t.Errorf("%q, %v:\ngot  %s\nwant %s", test.args, test.env, got, test.want)
		}
	}
}

func TestWrongUpstream(t *testing.T) {
	for _, test := range []struct{ url, want string }{
		{"api.audian.com", `AUDIAN_BASE_URL must be an http or https URL but is "api.audian.com"`},
		{"ftp://api.audian.com", "must be an http or https URL"},
		{"https://", "must be an http or https URL"},
		{"https://:8443/v2", "must be an http or https URL"},
		{"http://[::1", "must be an http or https URL"},
		{"https://api.audian.com/v2?key=hidden-1", "must have no query or fragment"},
		{"https://api.audian.com/v2#hidden-1", "must have no query or fragment"},
		{"https://me:hidden-1@api.audian.com/v2", "must not contain a user or password"},
		{"https://api.audian.com/v2?", "must have no query or fragment"},
		{"https://api.audian.com/v2#", "must have no query or fragment"},
		{"https://api.audian.com/v2 ", `must not contain spaces but is "https://api.audian.com/v2 "`},
		{"https://api.audian.com/v 2", "must not contain spaces"},
		{"https://api.audian.com/v2\n", "must be an http or https URL"},
		{" https://api.audian.com/v2", "must be an http or https URL"},
		{"https://api.audian.com /v2", "must be an http or https URL"},
		{"https://api.audian.com:0/v2", `must have a port of 1 to 65535, or none, but is "https://api.audian.com:0/v2"`},
		{"https://api.audian.com:/v2", "must have a port of 1 to 65535"},
		{"https://api.audian.com:65536/v2", "must have a port of 1 to 65535"},
		{"https://api.audian.com:8443443/v2", "must have a port of 1 to 65535"},
		{"https://api.audian.com:x/v2", "must be an http or https URL"},
		{"https:api.audian.com/v2", "must be an http or https URL"},
		{"https://*.audian.com/v2", "must name a host"},
		{"https://api..audian.com/v2", "must name a host"},
		{"https://300.1.1.1/v2", "must name a host"},
		{"://me:hidden-1@api.audian.com/v2", "must not contain a user or password"},
	} {
		got := parseError(t, nil, environ{"AUDIAN_API_KEY": "k", "AUDIAN_BASE_URL": test.url})
		if !strings.Contains(got, test.want) || strings.Contains(got, "hidden-1") {
			t.Errorf("%q: got %s, want %s", test.url, got, test.want)
		}
	}
	got := parseError(t, nil, environ{"AUDIAN_API_KEY": "k", "AUDIAN_AUTH_HEADER": "cookie"})
	if want := `AUDIAN_AUTH_HEADER must be x-auth-token or bearer but is "cookie"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
