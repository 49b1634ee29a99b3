// Package config is the gateway's whole configuration as one struct: each flag
// with its environment variable, default, help and validation. A flag overrides
// its variable, a variable overrides the default.
package config

import (
	"log/slog"
	"time"

	"github.com/audian/participant-gateway/internal/redact"
	"github.com/audian/participant-gateway/internal/tracing"
)

// Config is all settings. Parse returns it validated, with secrets read from
// their files.
type Config struct {
	Demo bool `help:"Run with an embedded simulator in place of the upstream. Refuses --upstream-* flags and ignores AUDIAN_* variables."`

	Listen   Listen   `embed:"" group:"Listening:"`
	Upstream Upstream `embed:"" group:"Upstream:"      prefix:"upstream-"`
	Feed     Feed     `embed:"" group:"Watching:"`
	Phone    Phone    `embed:"" group:"Phone numbers:"`
	Access   Access   `embed:"" group:"Access:"`
	Policy   Policy   `embed:"" group:"Calling policy:"`
	TLS      TLS      `embed:"" group:"TLS:"           prefix:"tls-"`
	Redis    Redis    `embed:"" group:"Replicas:"      prefix:"redis-"`
	Limits   Limits   `embed:"" group:"Limits:"        prefix:"max-"`
	Drain    Drain    `embed:"" group:"Shutting down:" prefix:"drain-"`
	Log      Log      `embed:"" group:"Logging:"       prefix:"log-"`
	Audit    Audit    `embed:"" group:"Logging:"       prefix:"audit-"`

	// Tracing is what the standard variables of OpenTelemetry say about traces.
	Tracing tracing.Options `kong:"-"`

	// Ignored names the variables that are set but have no effect: unknown ones, and
	// those that do not apply with --demo or the mode of --auth. The start logs them.
	Ignored []string `kong:"-"`
}

// Listen is the addresses of the listeners.
type Listen struct {
	GRPC  string `name:"grpc-addr"  default:"127.0.0.1:9090" placeholder:"HOST:PORT" help:"Address of gRPC (default ${default})."`
	HTTP  string `name:"http-addr"  default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address of REST, SSE, NDJSON, docs and dashboard (default ${default})."`
	Admin string `name:"admin-addr" default:"127.0.0.1:9091" placeholder:"HOST:PORT" help:"Address of metrics, health and schema (default ${default})."`
}

// The values of --upstream-auth-header.
const (
	HeaderXAuthToken = "x-auth-token"
	HeaderBearer     = "bearer"
)

// Upstream is the Audian REST API and the gateway's own credential there: a
// token, or an API key that is exchanged for tokens. With --demo both are empty,
// with --auth=passthrough the credential is.
type Upstream struct {
	URL        string        `name:"url"          env:"AUDIAN_BASE_URL"        default:"https://api.audian.com:8443/v2" placeholder:"URL"    help:"Base URL of the upstream (default ${default})."`
	Token      redact.Secret `name:"token"        env:"AUDIAN_AUTH_TOKEN"                                               placeholder:"TOKEN"  help:"Static upstream token. A command line is visible to other users: prefer the file or the variable."`
	TokenFile  string        `name:"token-file"   env:"AUDIAN_AUTH_TOKEN_FILE"                                          placeholder:"FILE"   help:"File with the upstream token."`
	APIKey     redact.Secret `name:"api-key"      env:"AUDIAN_API_KEY"                                                  placeholder:"KEY"    help:"Upstream API key, exchanged for tokens and renewed."`
	APIKeyFile string        `name:"api-key-file" env:"AUDIAN_API_KEY_FILE"                                             placeholder:"FILE"   help:"File with the upstream API key."`
	AuthHeader string        `name:"auth-header"  env:"AUDIAN_AUTH_HEADER"     default:"x-auth-token"                   placeholder:"HEADER" help:"How the token is sent: x-auth-token or bearer (default ${default})."`

	// CredentialFrom is the flag or variable that set the credential; empty without one.
	CredentialFrom string `kong:"-"`
}

// Feed sets how the gateway polls conferences and how much history it keeps.
type Feed struct {
	PollInterval    time.Duration `name:"poll-interval"     default:"1s"   placeholder:"DURATION" help:"Time between two lists of a busy conference (default ${default})."`
	MaxPollInterval time.Duration `name:"max-poll-interval" default:"5s"   placeholder:"DURATION" help:"Time between two lists of an idle conference (default ${default})."`
	PollRate        int           `name:"poll-rate"         default:"10"   placeholder:"N"        help:"Poll requests a second for one upstream account, 1 to 1000 (default ${default})."`
	Linger          time.Duration `name:"linger"            default:"30s"  placeholder:"DURATION" help:"How long a conference is polled after its last watcher left (default ${default})."`
	History         int           `name:"history"           default:"4096" placeholder:"N"        help:"Changes kept for resuming, for each conference (default ${default})."`
	MaxStreamAge    time.Duration `name:"max-stream-age"    default:"0s"   placeholder:"DURATION" help:"Age at which streams and connections end and clients reconnect, so that load spreads over replicas (default 0: never)."`
}

// Phone is the validation of phone numbers before an add.
type Phone struct {
	Validation    string `name:"phone-validation" default:"e164" enum:"e164,length" placeholder:"RULE"   help:"What a phone number must be: e164 or length (default ${default})."`
	DefaultRegion string `name:"default-region"                                     placeholder:"REGION" help:"Region such as US whose national numbers are accepted; empty accepts E.164 only."`
}

// Drain sets how the gateway shuts down (W16).
type Drain struct {
	Timeout time.Duration `name:"timeout" default:"15s" placeholder:"DURATION" help:"How long calls may take to finish before they are cancelled (default ${default})."`
	Delay   time.Duration `name:"delay"   default:"0s"  placeholder:"DURATION" help:"How long to report not ready before the listeners close (default ${default})."`
}

// Log sets the format and content of the log.
type Log struct {
	// Format is empty by default: text on a terminal, else json.
	Format       string     `name:"format"        default:""     enum:",text,json" placeholder:"FORMAT" help:"Format of the log: text or json (default text on a terminal, else json)."`
	Level        slog.Level `name:"level"         default:"info"                   placeholder:"LEVEL"  help:"Minimum level: debug, info, warn or error (default ${default})."`
	PhoneNumbers bool       `name:"phone-numbers"                                                       help:"Log phone numbers in full, not only their last four digits."`
}

// Audit sets where the audit log is written (A15).
type Audit struct {
	// Log is a file, "-" for the standard output, or empty for no audit log.
	Log string `name:"log" placeholder:"FILE" help:"File to which each call that changes a conference, or tries to, is appended as one JSON line; - is the standard output. Reopened on SIGHUP."`
}
