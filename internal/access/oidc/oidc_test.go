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

func authenticate(t *testing.T, authenticator *oidc.Authenticator, token string) (access.Caller, error) {
	t.Helper()
	return authenticator.Authenticate(t.Context(), access.Credentials{Authorization: []string{"Bearer " + token}})
}

// refusal returns the reason why a token is refused, empty if it is accepted.
func refusal(t *testing.T, authenticator *oidc.Authenticator, token string) apierror.Reason {
	t.Helper()
	_, err := authenticate(t, authenticator, token)
	if err == nil {
		return ""
	}
	if strings.Contains(err.Error(), token) {
		t.Errorf("the error contains the token: %v", err)
	}
	return apierror.ReasonOf(err)
}

func TestRequiredClaims(t *testing.T) {
	issuer, authenticator := start(t)
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
		if got := refusal(t, authenticator, issuer.Token(test.claims)); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestRightsOfAToken(t *testing.T) {
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
		authenticator := oidc.New(oidc.Options{Issuer: issuer.URL(), Audience: oidctest.Audience, RoleClaim: test.claim})
		caller, err := authenticate(t, authenticator, issuer.Token(test.claims))
		if err != nil || caller.Name != "caller-1" || caller.Token != "" {
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

func TestA13_RolesOfAToken(t *testing.T) {
	issuer, authenticator := start(t)
	for _, test := range []struct {
		claim any
		want  access.Role
	}{
		{"viewer", access.Viewer},
		{[]string{"viewer"}, access.Viewer},
		{[]string{"viewer", "reader"}, access.Reader},
		{[]string{"writer", "viewer"}, access.Writer},
		{[]any{"staff", 1, "viewer"}, access.Viewer},
		{"Viewer", access.NoRole},
		{"viewer,reader", access.NoRole},
	} {
		caller, err := authenticate(t, authenticator, issuer.Token(oidctest.Claims{"role": test.claim}))
		if err != nil || caller.Grant.Role() != test.want {
			t.Errorf("%v: got %+v, %v, want %s", test.claim, caller, err, test.want)
		}
	}
}

func TestForgedTokensAreRefused(t *testing.T) {
	issuer, authenticator := start(t)
	good := issuer.Token(nil)
	for _, how := range []string{"none", "HS256", "unknown key", "another's key"} {
		if got := refusal(t, authenticator, issuer.ForgedToken(how, oidctest.Claims{"role": "writer"})); got != apierror.CredentialInvalid {
			t.Errorf("%s: got %q", how, got)
		}
	}
	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"not a token": "hidden-1", "dots": "..", "no signature": parts[0] + "." + parts[1] + ".",
		"others' claims": parts[0] + "." + strings.Split(issuer.Token(oidctest.Claims{"role": "writer"}), ".")[1] + "." + parts[2],
		"too long":       strings.Repeat("x", 17<<10),
	} {
		if got := refusal(t, authenticator, token); got != apierror.CredentialInvalid {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if _, err := authenticator.Authenticate(t.Context(), access.Credentials{}); apierror.ReasonOf(err) != apierror.CredentialMissing {
		t.Errorf("no token: got %v", err)
	}
}

func TestKeysRotate(t *testing.T) {
	issuer, authenticator := start(t)
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		issuer.Rotate(algorithm)
		var callers sync.WaitGroup
		for range 20 {
			callers.Go(func() {
				if got := refusal(t, authenticator, issuer.Token(nil)); got != "" {
					t.Errorf("a token of a new %s key: got %q", algorithm, got)
				}
			})
		}
		callers.Wait()
	}
	before := issuer.Requests()
	for range 10 {
		if got := refusal(t, authenticator, issuer.Token(nil)); got != "" {
			t.Errorf("got %q", got)
		}
	}
	if again := issuer.Requests() - before; again != 0 {
		t.Errorf("the issuer got %d requests for known keys", again)
	}
}

func TestInventedKeyIDsDoNotOverloadTheIssuer(t *testing.T) {
	issuer, authenticator := start(t)
	for range 50 {
		if got := refusal(t, authenticator, issuer.ForgedToken("unknown key", nil)); got != apierror.CredentialInvalid {
			t.Fatalf("got %q", got)
		}
	}
	if requests := issuer.Requests(); requests > 10 {
		t.Errorf("the issuer got %d requests", requests)
	}
	if got := refusal(t, authenticator, issuer.Token(nil)); got != "" {
		t.Errorf("a good token meanwhile: got %q", got)
	}
}

func TestAnOutageAtTheStart(t *testing.T) {
	issuer, authenticator := start(t)
	issuer.SetDown(true)
	_, err := authenticate(t, authenticator, issuer.Token(nil))
	failure, _ := errors.AsType[*apierror.Error](err)
	if failure == nil || failure.Reason != apierror.IssuerUnavailable || failure.RetryAfter <= 0 || strings.Contains(err.Error(), "maintenance") {
		t.Errorf("got %v, want the issuer unavailable, a retry delay, and nothing of its response", err)
	}
	issuer.SetDown(false)
	if got := refusal(t, authenticator, issuer.Token(nil)); got != "" {
		t.Errorf("once it is up: got %q", got)
	}
}

func TestAnOutageAffectsOnlyUnknownKeys(t *testing.T) {
	issuer, authenticator := start(t)
	known := issuer.Token(nil)
	if got := refusal(t, authenticator, known); got != "" {
		t.Fatalf("got %q", got)
	}
	issuer.SetDown(true)
	if got := refusal(t, authenticator, known); got != "" {
		t.Errorf("a key that is known: got %q", got)
	}
	issuer.Rotate("ES256")
	if got := refusal(t, authenticator, issuer.Token(nil)); got != apierror.IssuerUnavailable {
		t.Errorf("a key that is not: got %q", got)
	}
}

// The error names the deadline also while known keys are fetched again.
func TestADeadlineThatEndsWhileTheGatewayWaitsForTheIssuer(t *testing.T) {
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
			issuer, authenticator := start(t)
			if known {
				if got := refusal(t, authenticator, issuer.Token(nil)); got != "" {
					t.Fatalf("got %q", got)
				}
				issuer.Rotate("ES256")
			}
			release := issuer.BlockResponses()
			ctx, cancel := test.end(t.Context())
			_, err := authenticator.Authenticate(ctx, access.Credentials{AuthToken: []string{issuer.Token(nil)}})
			cancel()
			release()
			if got := apierror.ReasonOf(err); err == nil || got != test.want {
				t.Errorf("%s, with keys known %t: got %v, want %s", test.name, known, err, test.want)
			}
		}
	}
}

func TestW19_TheGrantEndsWithTheToken(t *testing.T) {
	issuer, authenticator := start(t)
	caller, err := authenticate(t, authenticator, issuer.Token(oidctest.Claims{"role": "reader", "exp": time.Now().Add(2 * time.Second).Unix()}))
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
