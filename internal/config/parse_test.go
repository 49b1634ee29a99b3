package config_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/policy"
)

// environ is an environment for a test.
type environ map[string]string

func (e environ) list() (variables []string) {
	for name, value := range e {
		variables = append(variables, name+"="+value)
	}
	return variables
}

func parse(t *testing.T, args []string, env environ) config.Config {
	t.Helper()
	cfg, err := config.Parse(args, env.list(), io.Discard)
	if err != nil {
		t.Fatalf("Parse(%q, %v): %v", args, env, err)
	}
	return cfg
}

// parseError returns the error line for a wrong configuration.
func parseError(t *testing.T, args []string, env environ) string {
	t.Helper()
	_, err := config.Parse(args, env.list(), io.Discard)
	exit, ok := errors.AsType[*config.ExitError](err)
	if !ok {
		t.Fatalf("Parse(%q, %v) gave %v, want an ExitError", args, env, err)
	}
	if exit.Code != 2 {
		t.Errorf("exit code %d, want 2", exit.Code)
	}
	if text := exit.Error(); text == "" || strings.ContainsAny(text, "\r\n") {
		t.Errorf("want one line, got %q", text)
	}
	return exit.Error()
}

func TestDefaults(t *testing.T) {
	got := parse(t, nil, environ{"AUDIAN_API_KEY": "k"})
	want := config.Config{
		Listen:   config.Listen{GRPC: "127.0.0.1:9090", HTTP: "127.0.0.1:8080", Admin: "127.0.0.1:9091"},
		Upstream: config.Upstream{URL: "https://api.audian.com:8443/v2", APIKey: "k", AuthHeader: config.HeaderXAuthToken, CredentialFrom: "AUDIAN_API_KEY"},
		Feed: config.Feed{
			PollInterval: time.Second, MaxPollInterval: 5 * time.Second, PollRate: 10,
			Linger: 30 * time.Second, History: 4096,
		},
		Phone:  config.Phone{Validation: "e164"},
		Access: config.Access{Auth: config.AuthNone},
		Redis:  config.Redis{Prefix: "pgw:"},
		Limits: config.Limits{Subscribers: 10_000, Conferences: 1000, StreamsPerCaller: 1000, CallsPerSecond: 100},
		Drain:  config.Drain{Timeout: 15 * time.Second},
		Log:    config.Log{Level: slog.LevelInfo},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// settings is each flag with its variable, a value other than the default, and the field
// that must contain the value.
var settings = []struct {
	flag, variable, value string
	want                  any
	got                   func(config.Config) any
}{
	{"grpc-addr", "GATEWAY_GRPC_ADDR", "127.0.0.1:1", "127.0.0.1:1", func(c config.Config) any { return c.Listen.GRPC }},
	{"http-addr", "GATEWAY_HTTP_ADDR", "localhost:0", "localhost:0", func(c config.Config) any { return c.Listen.HTTP }},
	{"admin-addr", "GATEWAY_ADMIN_ADDR", "0.0.0.0:3", "0.0.0.0:3", func(c config.Config) any { return c.Listen.Admin }},
	{"upstream-url", "AUDIAN_BASE_URL", "http://127.0.0.1:4/v9", "http://127.0.0.1:4/v9", func(c config.Config) any { return c.Upstream.URL }},
	{"upstream-auth-header", "AUDIAN_AUTH_HEADER", "bearer", config.HeaderBearer, func(c config.Config) any { return c.Upstream.AuthHeader }},
	{"poll-interval", "GATEWAY_POLL_INTERVAL", "250ms", 250 * time.Millisecond, func(c config.Config) any { return c.Feed.PollInterval }},
	{"max-poll-interval", "GATEWAY_MAX_POLL_INTERVAL", "9s", 9 * time.Second, func(c config.Config) any { return c.Feed.MaxPollInterval }},
	{"poll-rate", "GATEWAY_POLL_RATE", "3", 3, func(c config.Config) any { return c.Feed.PollRate }},
	{"linger", "GATEWAY_LINGER", "0", time.Duration(0), func(c config.Config) any { return c.Feed.Linger }},
	{"history", "GATEWAY_HISTORY", "7", 7, func(c config.Config) any { return c.Feed.History }},
	{"max-stream-age", "GATEWAY_MAX_STREAM_AGE", "30m", 30 * time.Minute, func(c config.Config) any { return c.Feed.MaxStreamAge }},
	{"max-subscribers", "GATEWAY_MAX_SUBSCRIBERS", "5", 5, func(c config.Config) any { return c.Limits.Subscribers }},
	{"max-conferences", "GATEWAY_MAX_CONFERENCES", "6", 6, func(c config.Config) any { return c.Limits.Conferences }},
	{"max-streams-per-caller", "GATEWAY_MAX_STREAMS_PER_CALLER", "7", 7, func(c config.Config) any { return c.Limits.StreamsPerCaller }},
	{"max-calls-per-second", "GATEWAY_MAX_CALLS_PER_SECOND", "0", 0, func(c config.Config) any { return c.Limits.CallsPerSecond }},
	{"phone-validation", "GATEWAY_PHONE_VALIDATION", "length", "length", func(c config.Config) any { return c.Phone.Validation }},
	{"default-region", "GATEWAY_DEFAULT_REGION", "GB", "GB", func(c config.Config) any { return c.Phone.DefaultRegion }},
	{"auth", "GATEWAY_AUTH", "none", config.AuthNone, func(c config.Config) any { return c.Access.Auth }},
	{"allowed-hosts", "GATEWAY_ALLOWED_HOSTS", "a.example,b.example", []string{"a.example", "b.example"}, func(c config.Config) any { return c.Access.AllowedHosts }},
	{"cors-allowed-origins", "GATEWAY_CORS_ALLOWED_ORIGINS", "https://a.example,http://b.example:8000", []string{"https://a.example", "http://b.example:8000"}, func(c config.Config) any { return c.Access.CORSAllowedOrigins }},
	{"insecure-no-auth", "GATEWAY_INSECURE_NO_AUTH", "true", true, func(c config.Config) any { return c.Access.InsecureNoAuth }},
	{"insecure-plaintext", "GATEWAY_INSECURE_PLAINTEXT", "1", true, func(c config.Config) any { return c.Access.InsecurePlaintext }},
	{"allow-prefix", "GATEWAY_ALLOW_PREFIX", "+1,+44", []string{"+1", "+44"}, func(c config.Config) any { return c.Policy.AllowPrefix }},
	{"adds-per-day", "GATEWAY_ADDS_PER_DAY", "500", 500, func(c config.Config) any { return c.Policy.Rules().AddsPerDay }},
	{"drain-timeout", "GATEWAY_DRAIN_TIMEOUT", "3s", 3 * time.Second, func(c config.Config) any { return c.Drain.Timeout }},
	{"drain-delay", "GATEWAY_DRAIN_DELAY", "2s", 2 * time.Second, func(c config.Config) any { return c.Drain.Delay }},
	{"log-format", "GATEWAY_LOG_FORMAT", "json", "json", func(c config.Config) any { return c.Log.Format }},
	{"log-level", "GATEWAY_LOG_LEVEL", "warn", slog.LevelWarn, func(c config.Config) any { return c.Log.Level }},
	{"log-phone-numbers", "GATEWAY_LOG_PHONE_NUMBERS", "yes", true, func(c config.Config) any { return c.Log.PhoneNumbers }},
	{"audit-log", "GATEWAY_AUDIT_LOG", "audit.jsonl", "audit.jsonl", func(c config.Config) any { return c.Audit.Log }},
}

func TestEverySettingByFlagAndByVariable(t *testing.T) {
	for _, s := range settings {
		t.Run(s.flag, func(t *testing.T) {
			byFlag := parse(t, []string{"--" + s.flag + "=" + s.value}, environ{"AUDIAN_API_KEY": "k"})
			byVariable := parse(t, nil, environ{"AUDIAN_API_KEY": "k", s.variable: s.value})
			if got := s.got(byFlag); !reflect.DeepEqual(got, s.want) {
				t.Errorf("flag: got %v, want %v", got, s.want)
			}
			if got := s.got(byVariable); !reflect.DeepEqual(got, s.want) {
				t.Errorf("variable: got %v, want %v", got, s.want)
			}
		})
	}
}

func TestA14_AllowPrefixMayBeRepeated(t *testing.T) {
	args := []string{"--demo", "--allow-prefix", "+1", "--allow-prefix=+44", "--allow-prefix=+49,+33"}
	cfg := parse(t, args, environ{"GATEWAY_ALLOW_PREFIX": "+7"})
	want := policy.Rules{Prefixes: []string{"+1", "+44", "+49", "+33"}}
	if got := cfg.Policy.Rules(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := parse(t, []string{"--demo"}, nil).Policy.Rules(); !reflect.DeepEqual(got, policy.Rules{}) {
		t.Errorf("by default: %+v", got)
	}
}

func TestFlagBeforeVariableBeforeDefault(t *testing.T) {
	env := environ{"AUDIAN_API_KEY": "k", "GATEWAY_HISTORY": "20", "GATEWAY_LINGER": ""}
	if got := parse(t, []string{"--history=30"}, env).Feed.History; got != 30 {
		t.Errorf("flag and variable: got %d, want the flag's 30", got)
	}
	cfg := parse(t, nil, env)
	if cfg.Feed.History != 20 {
		t.Errorf("variable: got %d, want 20", cfg.Feed.History)
	}
	if cfg.Feed.Linger != 30*time.Second {
		t.Errorf("empty variable: got %v, want the default 30s", cfg.Feed.Linger)
	}
}

func TestAWrongVariableIsNotReadBehindItsFlag(t *testing.T) {
	parse(t, []string{"--demo", "--history=1"}, environ{"GATEWAY_HISTORY": "many"})
}

func TestTheProcessEnvironmentIsNotRead(t *testing.T) {
	t.Setenv("GATEWAY_HISTORY", "99")
	if got := parse(t, []string{"--demo"}, nil).Feed.History; got != 4096 {
		t.Errorf("got %d, want the default: only the injected environment counts", got)
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, test := range []struct {
		args []string
		want []string
	}{
		{[]string{"--help"}, []string{"--poll-interval", "$GATEWAY_POLL_INTERVAL", "$AUDIAN_API_KEY", "(default 1s)"}},
		{[]string{"-h", "--history=0"}, []string{"--drain-timeout"}},
		{[]string{"--version"}, []string{"participant-gateway " + config.Version(), "(commit " + config.Revision(), config.Date(), "go1."}},
	} {
		var stdout bytes.Buffer
		_, err := config.Parse(test.args, environ{"GATEWAY_POLL_INTERVAL": "wrong"}.list(), &stdout)
		exit, ok := errors.AsType[*config.ExitError](err)
		if !ok || exit.Code != 0 || exit.Error() != "" {
			t.Errorf("%q: got %#v, want exit code 0 without a line", test.args, err)
		}
		for _, want := range test.want {
			if !strings.Contains(stdout.String(), want) {
				t.Errorf("%q: standard output does not contain %q:\n%s", test.args, want, &stdout)
			}
		}
	}
}

// failing is a closed standard output.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestHelpThatCannotBeWritten(t *testing.T) {
	for _, arg := range []string{"--help", "--version"} {
		if _, err := config.Parse([]string{arg}, nil, failing{}); err == nil {
			t.Errorf("%s: no error for a closed pipe", arg)
		}
	}
}
