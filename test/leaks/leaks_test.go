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

// house is a gateway about to be used: how it is started, and who may call.
type house struct {
	env   []string
	flags []string
	// right and wrong are credentials of callers.
	right, wrong string
}

// modes are the ways to know callers, and the upstream's ways to know the gateway.
var modes = map[string]func(t *testing.T, l *ledger) house{
	"none, a token": func(_ *testing.T, l *ledger) house {
		return house{
			flags: []string{"--upstream-token=" + l.secret("upstream token"), "--log-format=text"},
			right: l.secret("ignored credential"), wrong: l.secret("other ignored credential"),
		}
	},
	"none, a key": func(_ *testing.T, l *ledger) house {
		return house{
			env:   []string{"AUDIAN_API_KEY=" + l.secret("upstream key")},
			flags: []string{"--upstream-auth-header=bearer", "--log-format=json"},
			right: l.secret("ignored credential"), wrong: l.secret("other ignored credential"),
		}
	},
	"passthrough": func(_ *testing.T, l *ledger) house {
		return house{
			env:   []string{"AUDIAN_AUTH_TOKEN=" + l.secret("token of no use")},
			flags: []string{"--auth=passthrough", "--log-format=text"},
			right: l.secret("caller's token"), wrong: l.secret("other caller's token"),
		}
	},
	"keys": func(t *testing.T, l *ledger) house {
		file := filepath.Join(t.TempDir(), "keys")
		entry, err := keys.NewEntry("desk", "writer", nil)
		if err != nil {
			t.Fatal(err)
		}
		key, err := keys.Add(file, entry)
		if err != nil {
			t.Fatal(err)
		}
		return house{
			env:   []string{"AUDIAN_AUTH_TOKEN=" + l.secret("upstream token")},
			flags: []string{"--auth=keys", "--auth-keys-file=" + file, "--log-format=json"},
			right: l.keep("key", key), wrong: l.keep("wrong key", "pgk_"+l.secret("wrong key's end")),
		}
	},
	"oidc": func(t *testing.T, l *ledger) house {
		issuer := oidctest.New()
		t.Cleanup(issuer.Close)
		claims := oidctest.Claims{"role": "writer", "sub": "+1" + l.number()}
		return house{
			env:   []string{"AUDIAN_API_KEY=" + l.secret("upstream key")},
			flags: []string{"--auth=oidc", "--oidc-issuer=" + issuer.URL(), "--oidc-audience=" + oidctest.Audience, "--log-format=json"},
			right: l.keep("JWT", issuer.Token(claims)), wrong: l.keep("forged JWT", issuer.ForgedToken("HS256", claims)),
		}
	},
}

// kinds are what must have been searched.
var kinds = []string{
	"HTTP head", "HTTP success", "HTTP refusal", "gRPC success", "gRPC refusal", "metadata", "token", "resume token", "page token", "admin page",
}

func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	for name, open := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &ledger{secrets: map[string]string{}}
			house := open(t, l)
			shown := l.number()
			hostile := httptest.NewServer(&upstream{exchanged: l.secret("exchanged token"), envelope: l.secret("token in an envelope"), listed: "+1" + shown})
			t.Cleanup(hostile.Close)
			p := start(t, house.env, append(house.flags, "--upstream-url="+hostile.URL+"/v2", "--log-level=debug", "--max-calls-per-second=0", "--poll-interval=100ms")...)
			s := newSession(t, l, p)
			right := presented{"X-Auth-Token: " + house.right}
			for _, kind := range kinds {
				s.until(kind, func() bool { return s.has(kind) }, func() { s.use(right, "conf_ok"); s.use(right, "conf_400"); s.look() })
			}
			s.attack(house)
			s.until("a poll failed", func() bool { return strings.Contains(p.written.String(), "poll failed") }, func() { s.watch(right, "conf_html") })
			s.look()
			written := p.stop()
			l.check(t, log, "the log", written)
			// What was to be found would have been: the search looked at the right thing.
			for _, sign := range []string{"UPSTREAM_BAD_REQUEST", "poll failed", "feed started", "[redacted]", "…" + shown[6:], "stopped"} {
				if !strings.Contains(written, sign) {
					t.Errorf("the log lacks %q", sign)
				}
			}
		})
	}
}

// attack uses the gateway as its callers may, and as nobody should.
func (s *session) attack(house house) {
	right := presented{"X-Auth-Token: " + house.right}
	basic := s.ledger.secret("password")
	deeds := []func(){func() { s.blunder(right) }}
	for _, way := range ways {
		deeds = append(deeds, func() { s.use(right, "conf_"+way) })
	}
	for _, who := range []presented{
		{"Authorization: Bearer " + house.right},
		{"X-Auth-Token: " + house.wrong},
		{"Authorization: Bearer " + house.wrong, "X-Auth-Token: " + house.right},
		{"Authorization: Basic " + basic},
		{"Authorization: " + basic, "X-Auth-Token: " + house.right + " "},
	} {
		deeds = append(deeds, func() { s.use(who, "conf_ok") }, func() { s.blunder(who) })
	}
	s.together(deeds...)
}

func TestNoSecretInWhatACommandLineIsAnswered(t *testing.T) {
	l := &ledger{secrets: map[string]string{}}
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
		{env, "keys add --file=" + file + " --name=a --role=reader", 1},
		{env, "keys revoke --file=" + file + " --name=a", 1},
	} {
		text, code := ran(t, test.env, strings.Fields(test.flags)...)
		l.check(t, log, fmt.Sprintf("%s with %q", test.flags, test.env), text)
		if code != test.code {
			t.Errorf("%s: exit code %d, want %d: %s", test.flags, code, test.code, text)
		}
	}
}
