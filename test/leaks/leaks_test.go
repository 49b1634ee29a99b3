package leaks_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/access/keys"
	"github.com/audian/participant-gateway/internal/access/oidc/oidctest"
)

// setup is how a gateway is started, and credentials of its clients.
type setup struct {
	env            []string
	flags          []string
	valid, invalid string
}

// modes are combinations of client authentication and upstream credentials.
var modes = map[string]func(t *testing.T, l *secretSet) setup{
	"none, a token": func(_ *testing.T, l *secretSet) setup {
		return setup{
			flags: []string{"--upstream-token=" + l.secret("upstream token"), "--log-format=text"},
			valid: l.secret("ignored credential"), invalid: l.secret("other ignored credential"),
		}
	},
	"none, a key": func(_ *testing.T, l *secretSet) setup {
		return setup{
			env:   []string{"AUDIAN_API_KEY=" + l.secret("upstream key")},
			flags: []string{"--upstream-auth-header=bearer", "--log-format=json"},
			valid: l.secret("ignored credential"), invalid: l.secret("other ignored credential"),
		}
	},
	"passthrough": func(_ *testing.T, l *secretSet) setup {
		return setup{
			env:   []string{"AUDIAN_AUTH_TOKEN=" + l.secret("unused token")},
			flags: []string{"--auth=passthrough", "--log-format=text"},
			valid: l.secret("client's token"), invalid: l.secret("other client's token"),
		}
	},
	"keys": func(t *testing.T, l *secretSet) setup {
		file := filepath.Join(t.TempDir(), "keys")
		entry, err := keys.NewEntry("desk", "writer", nil)
		if err != nil {
			t.Fatal(err)
		}
		key, err := keys.Add(file, entry)
		if err != nil {
			t.Fatal(err)
		}
		return setup{
			env:   []string{"AUDIAN_AUTH_TOKEN=" + l.secret("upstream token")},
			flags: []string{"--auth=keys", "--auth-keys-file=" + file, "--log-format=json"},
			valid: l.keep("key", key), invalid: l.keep("invalid key", "pgk_"+l.secret("invalid key's secret")),
		}
	},
	"oidc": func(t *testing.T, l *secretSet) setup {
		issuer := oidctest.New()
		t.Cleanup(issuer.Close)
		claims := oidctest.Claims{"role": "writer", "sub": "+1" + l.number()}
		return setup{
			env:   []string{"AUDIAN_API_KEY=" + l.secret("upstream key")},
			flags: []string{"--auth=oidc", "--oidc-issuer=" + issuer.URL(), "--oidc-audience=" + oidctest.Audience, "--log-format=json"},
			valid: l.keep("JWT", issuer.Token(claims)), invalid: l.keep("forged JWT", issuer.ForgedToken("HS256", claims)),
		}
	},
}

// kinds are the kinds of texts that must have been searched.
var kinds = []string{
	"HTTP head", "HTTP success", "HTTP public", "gRPC success", "gRPC public", "metadata", "token", "resume token", "page token", "admin page",
}

func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	for name, open := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &secretSet{secrets: map[string]string{}}
			setup := open(t, l)
			listed := l.number()
			hostile := httptest.NewServer(&upstream{exchanged: l.secret("exchanged token"), envelope: l.secret("token in an envelope"), listed: "+1" + listed})
			t.Cleanup(hostile.Close)
			audit := filepath.Join(t.TempDir(), "audit")
			collector, credential := newTraces(t), l.secret("credential of the collector")
			p := start(t, append(setup.env, collector.env(credential)...), append(setup.flags, "--audit-log="+audit, "--upstream-url="+hostile.URL+"/v2", "--log-level=debug", "--max-calls-per-second=0", "--poll-interval=100ms")...)
			c := newClient(t, l, p)
			valid := credentials{"X-Auth-Token: " + setup.valid}
			for _, kind := range kinds {
				c.until(kind, func() bool { return c.has(kind) }, func() { c.use(valid, "conf_ok"); c.use(valid, "conf_400"); c.readPages() })
			}
			c.attack(setup)
			// The log must contain what the test causes. Polls that fail open the circuit breaker, and
			// with it open no other answer comes.
			logs := func(text string) func() bool {
				return func() bool { return strings.Contains(p.written.String(), text) }
			}
			c.until("a poll failed", logs("poll failed"), func() { c.watch(valid, "conf_html") })
			for _, text := range []string{"UPSTREAM_BAD_REQUEST", "feed started", "traces were not exported", "[redacted]", "…" + listed[6:]} {
				c.until("the log contains "+text, logs(text), func() { c.use(valid, "conf_ok"); c.use(valid, "conf_400"); c.use(valid, "conf_402") })
			}
			c.readPages()
			written := p.stop()
			l.check(t, log, "the log", written)
			audited, err := os.ReadFile(audit)
			if err != nil || !strings.Contains(string(audited), `"+*******`) || !strings.Contains(string(audited), `"outcome":"OK"`) {
				t.Errorf("the audit log lacks what the test causes: %v\n%.2000s", err, audited)
			}
			l.check(t, log, "the audit log", string(audited))
			checkSpans(t, l, collector, credential)
			if !strings.Contains(written, "stopped") {
				t.Error("the log lacks what is written last")
			}
		})
	}
}

// checkSpans searches the exported spans, which must contain what the test causes.
func checkSpans(t *testing.T, l *secretSet, collector *traces, credential string) {
	t.Helper()
	spans, accepted := collector.text()
	for _, want := range []string{"AddParticipant", "queue add", "upstream add", `"poll"`, "UPSTREAM_BAD_REQUEST"} {
		if !strings.Contains(spans, want) {
			t.Errorf("the spans lack %s", want)
		}
	}
	if accepted != "Bearer "+credential {
		t.Errorf("the collector got the credential %q", accepted)
	}
	l.check(t, log, "the export of traces", spans)
}

// attack sends valid and invalid requests with valid and invalid credentials.
func (c *client) attack(setup setup) {
	valid := credentials{"X-Auth-Token: " + setup.valid}
	basic := c.secrets.secret("password")
	calls := []func(){func() { c.sendInvalidRequests(valid) }}
	for _, mode := range upstreamModes {
		calls = append(calls, func() { c.use(valid, "conf_"+mode) })
	}
	for _, cred := range []credentials{
		{"Authorization: Bearer " + setup.valid},
		{"X-Auth-Token: " + setup.invalid},
		{"Authorization: Bearer " + setup.invalid, "X-Auth-Token: " + setup.valid},
		{"Authorization: Basic " + basic},
		{"Authorization: " + basic, "X-Auth-Token: " + setup.valid + " "},
	} {
		calls = append(calls, func() { c.use(cred, "conf_ok") }, func() { c.sendInvalidRequests(cred) })
	}
	c.concurrently(calls...)
}

func TestCommandLineOutputContainsNoSecret(t *testing.T) {
	l := &secretSet{secrets: map[string]string{}}
	secret := l.secret("secret on a command line")
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(secret+" "+secret), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"AUDIAN_AUTH_TOKEN=" + secret}
	for _, test := range []struct {
		env   []string
		flags string
		code  int
	}{
		{env, "--help", 0},
		{env, "--version", 0},
		{env, "--poll-rate=1001", 2},
		{env, "--upstream-api-key=" + secret, 2},
		{env, "--upstream-url=https://user:" + secret + "@example.com/v2", 2},
		{env, "--cors-allowed-origins=https://user:" + secret + "@example.com", 2},
		{env, "--auth=oidc --oidc-audience=x --oidc-issuer=https://user:" + secret + "@example.com", 2},
		{nil, "--upstream-token=" + secret + "ü", 2},
		{nil, "--upstream-token -" + secret, 2},
		{nil, "--upstream-toke=" + secret, 2},
		{nil, "--upstream-token= " + secret, 2},
		{nil, secret, 2},
		{nil, "--upstream-token-file=" + file, 2},
		{[]string{"AUDIAN_BASE_URL=https://user:" + secret + "@example.com"}, "--upstream-token=" + secret, 2},
		{[]string{"AUDIAN_API_KEY=" + secret + "\n" + secret}, "", 2},
		{[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://user:" + secret + "@127.0.0.1"}, "--demo", 2},
		{[]string{"OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_HEADERS=" + secret}, "--demo", 2},
		{[]string{"OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_HEADERS=api key=" + secret}, "--demo", 2},
		{env, "keys add --file=" + file + " --name=a --role=reader", 1},
		{env, "keys revoke --file=" + file + " --name=a", 1},
	} {
		text, code := runToExit(t, test.env, strings.Fields(test.flags)...)
		l.check(t, log, fmt.Sprintf("%s with %q", test.flags, test.env), text)
		if code != test.code {
			t.Errorf("%s: exit code %d, want %d: %s", test.flags, code, test.code, text)
		}
	}
}
