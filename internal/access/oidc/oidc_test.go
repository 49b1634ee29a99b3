package oidc_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/access/oidc"
	"github.com/audian/participant-gateway/internal/access/oidc/oidctest"
	"github.com/audian/participant-gateway/internal/apierror"
)

func start(t *testing.T) (*oidctest.Issuer, *oidc.Authenticator) {
	t.Helper()
	issuer := oidctest.New()
	t.Cleanup(issuer.Close)
	return issuer, oidc.New(oidc.Options{Issuer: issuer.URL(), Audience: oidctest.Audience, RoleClaim: "role"})
}

func admit(t *testing.T, policy *oidc.Authenticator, token string) (access.Caller, error) {
	t.Helper()
	return policy.Authenticate(t.Context(), access.Credentials{Authorization: []string{"Bearer " + token}})
}

// refusal is why a token is not admitted; empty where it is.
func refusal(t *testing.T, policy *oidc.Authenticator, token string) apierror.Reason {
	t.Helper()
	_, err := admit(t, policy, token)
	if err == nil {
		return ""
	}
	if strings.Contains(err.Error(), token) {
		t.Errorf("the error holds the token: %v", err)
	}
	return apierror.ReasonOf(err)
}

func TestWhatATokenMustSay(t *testing.T) {
	issuer, policy := start(t)
	now := time.Now()
	for name, test := range map[string]struct {
		claims oidctest.Claims
		want   apierror.Reason
	}{
		"plain":                {nil, ""},
		"audience among more":  {oidctest.Claims{"aud": []string{"other", oidctest.Audience}}, ""},
		"another audience":     {oidctest.Claims{"aud": "other"}, apierror.CredentialInvalid},
		"no audience":          {oidctest.Claims{"aud": nil}, apierror.CredentialInvalid},
		"another issuer":       {oidctest.Claims{"iss": "https://issuer.example"}, apierror.CredentialInvalid},
		"expired":              {oidctest.Claims{"exp": now.Add(-time.Second).Unix()}, apierror.CredentialExpired},
		"no expiry":            {oidctest.Claims{"exp": nil}, apierror.CredentialExpired},
		"soon valid":           {oidctest.Claims{"nbf": now.Add(time.Minute).Unix()}, ""},
		"not valid yet":        {oidctest.Claims{"nbf": now.Add(6 * time.Minute).Unix()}, apierror.CredentialInvalid},
		"nobody":               {oidctest.Claims{"sub": nil}, apierror.CredentialInvalid},
		"a name with a break":  {oidctest.Claims{"sub": "some\nbody"}, apierror.CredentialInvalid},
		"a long name":          {oidctest.Claims{"sub": strings.Repeat("x", 129)}, apierror.CredentialInvalid},
		"one conference, bare": {oidctest.Claims{"conferences": "conf_a"}, apierror.CredentialInvalid},
		"conferences of null":  {oidctest.Claims{"conferences": []any{nil}}, apierror.CredentialInvalid},
	} {
		if got := refusal(t, policy, issuer.Token(test.claims)); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestWhatATokenGrants(t *testing.T) {
	issuer, _ := start(t)
	here := []any{"conf_a", "conf_b"}
	for _, test := range []struct {
		claim        string
		claims       oidctest.Claims
		reads, write apierror.Reason
	}{
		{"role", oidctest.Claims{"role": "writer"}, "", ""},
		{"role", oidctest.Claims{"role": "reader"}, "", apierror.RoleNotGranted},
		{"role", oidctest.Claims{"role": []string{"admin", "reader", "writer"}}, "", ""},
		{"role", oidctest.Claims{"role": []any{1, nil, "reader"}}, "", apierror.RoleNotGranted},
		{"role", nil, apierror.RoleNotGranted, apierror.RoleNotGranted},
		{"role", oidctest.Claims{"role": "Writer"}, apierror.RoleNotGranted, apierror.RoleNotGranted},
		{"role", oidctest.Claims{"role": map[string]any{"writer": true}}, apierror.RoleNotGranted, apierror.RoleNotGranted},
		{"https://a.example/roles", oidctest.Claims{"https://a.example/roles": []string{"writer"}, "role": "reader"}, "", ""},
		{"role", oidctest.Claims{"role": "writer", "conferences": here}, "", ""},
		{"role", oidctest.Claims{"role": "writer", "conferences": []any{"conf_b"}}, apierror.ConferenceNotGranted, apierror.ConferenceNotGranted},
		{"role", oidctest.Claims{"role": "writer", "conferences": []any{}}, apierror.ConferenceNotGranted, apierror.ConferenceNotGranted},
	} {
		policy := oidc.New(oidc.Options{Issuer: issuer.URL(), Audience: oidctest.Audience, RoleClaim: test.claim})
		caller, err := admit(t, policy, issuer.Token(test.claims))
		if err != nil || caller.Name != "somebody" || caller.Token != "" {
			t.Errorf("%v: got %+v, %v", test.claims, caller, err)
			continue
		}
		for role, want := range map[access.Role]apierror.Reason{access.Reader: test.reads, access.Writer: test.write} {
			err := caller.Grant.Authorize(access.Permission{Role: role, Conference: "conf_a"})
			if got := apierror.ReasonOf(err); (err != nil || want != "") && got != want {
				t.Errorf("%v, as a %s: got %v, want %q", test.claims, role, err, want)
			}
		}
	}
}

func TestForgedTokensAreRefused(t *testing.T) {
	issuer, policy := start(t)
	good := issuer.Token(nil)
	for _, how := range []string{"none", "HS256", "unknown key", "another's key"} {
		if got := refusal(t, policy, issuer.Forged(how, oidctest.Claims{"role": "writer"})); got != apierror.CredentialInvalid {
			t.Errorf("%s: got %q", how, got)
		}
	}
	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"not a token": "hidden-1", "dots": "..", "no signature": parts[0] + "." + parts[1] + ".",
		"others' claims": parts[0] + "." + strings.Split(issuer.Token(oidctest.Claims{"role": "writer"}), ".")[1] + "." + parts[2],
		"too long":       strings.Repeat("x", 17<<10),
	} {
		if got := refusal(t, policy, token); got != apierror.CredentialInvalid {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if _, err := policy.Authenticate(t.Context(), access.Credentials{}); apierror.ReasonOf(err) != apierror.CredentialMissing {
		t.Errorf("no token: got %v", err)
	}
}

func TestKeysRotate(t *testing.T) {
	issuer, policy := start(t)
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		issuer.Rotate(algorithm)
		var callers sync.WaitGroup
		for range 20 {
			callers.Go(func() {
				if got := refusal(t, policy, issuer.Token(nil)); got != "" {
					t.Errorf("a token of a new %s key: got %q", algorithm, got)
				}
			})
		}
		callers.Wait()
	}
	asked := issuer.Requests()
	for range 10 {
		if got := refusal(t, policy, issuer.Token(nil)); got != "" {
			t.Errorf("got %q", got)
		}
	}
	if again := issuer.Requests() - asked; again != 0 {
		t.Errorf("the issuer was asked %d times for keys that are known", again)
	}
}

func TestMadeUpKeyIDsDoNotOverrunTheIssuer(t *testing.T) {
	issuer, policy := start(t)
	for range 50 {
		if got := refusal(t, policy, issuer.Forged("unknown key", nil)); got != apierror.CredentialInvalid {
			t.Fatalf("got %q", got)
		}
	}
	if asked := issuer.Requests(); asked > 10 {
		t.Errorf("the issuer was asked %d times", asked)
	}
	if got := refusal(t, policy, issuer.Token(nil)); got != "" {
		t.Errorf("a good token meanwhile: got %q", got)
	}
}

func TestTheIssuerMayBeDownAtFirst(t *testing.T) {
	issuer, policy := start(t)
	issuer.SetDown(true)
	_, err := admit(t, policy, issuer.Token(nil))
	told, _ := errors.AsType[*apierror.Error](err)
	if told == nil || told.Reason != apierror.IssuerUnavailable || told.RetryAfter <= 0 || strings.Contains(err.Error(), "maintenance") {
		t.Errorf("got %v, want the issuer unavailable, when to retry, and none of what it said", err)
	}
	issuer.SetDown(false)
	if got := refusal(t, policy, issuer.Token(nil)); got != "" {
		t.Errorf("once it is up: got %q", got)
	}
}

func TestAnOutageLaterOnlyConcernsUnknownKeys(t *testing.T) {
	issuer, policy := start(t)
	known := issuer.Token(nil)
	if got := refusal(t, policy, known); got != "" {
		t.Fatalf("got %q", got)
	}
	issuer.SetDown(true)
	if got := refusal(t, policy, known); got != "" {
		t.Errorf("a key that is known: got %q", got)
	}
	issuer.Rotate("ES256")
	if got := refusal(t, policy, issuer.Token(nil)); got != apierror.IssuerUnavailable {
		t.Errorf("a key that is not: got %q", got)
	}
}

// A call whose time ends while the issuer is awaited says so (api.md §4), also where the
// keys are known and are to be read again.
func TestADeadlineThatEndsWhileTheIssuerIsAwaited(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(context.Context) (context.Context, context.CancelFunc)
		want apierror.Reason
	}{
		{"deadline", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 50*time.Millisecond)
		}, apierror.DeadlineExceeded},
		{"cancelled", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(50*time.Millisecond, cancel)
			return ctx, cancel
		}, apierror.Cancelled},
	} {
		for _, known := range []bool{false, true} {
			issuer, policy := start(t)
			if known {
				if got := refusal(t, policy, issuer.Token(nil)); got != "" {
					t.Fatalf("got %q", got)
				}
				issuer.Rotate("ES256")
			}
			release := issuer.Hold()
			ctx, cancel := test.end(t.Context())
			_, err := policy.Authenticate(ctx, access.Credentials{AuthToken: []string{issuer.Token(nil)}})
			cancel()
			release()
			if got := apierror.ReasonOf(err); err == nil || got != test.want {
				t.Errorf("%s, with keys known %t: got %v, want %s", test.name, known, err, test.want)
			}
		}
	}
}

func TestW19_TheGrantEndsWithTheToken(t *testing.T) {
	issuer, policy := start(t)
	caller, err := admit(t, policy, issuer.Token(oidctest.Claims{"role": "reader", "exp": time.Now().Add(2 * time.Second).Unix()}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, release := caller.Grant.StreamContext(t.Context(), access.Permission{Role: access.Reader, Conference: "conf_a"})
	defer release()
	select {
	case <-ctx.Done():
	case <-time.After(5 * time.Second):
	}
	if got := apierror.ReasonOf(context.Cause(ctx)); got != apierror.CredentialExpired {
		t.Errorf("got %q", got)
	}
}
