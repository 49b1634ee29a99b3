package oidc_test

import (
	"bytes"
	"encoding/base64"
	"log/slog"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/access/oidc"
	"github.com/audian/participant-gateway/internal/access/oidc/oidctest"
	"github.com/audian/participant-gateway/internal/apierror"
)

func digits(length int) string { return base64.RawURLEncoding.EncodeToString(make([]byte, length)) }

// unusable are values that an issuer may publish beside good keys.
var unusable = map[string]any{
	"secp256k1 without alg": map[string]any{"kty": "EC", "crv": "secp256k1", "kid": "odd", "x": digits(32), "y": digits(32)},
	"secp256k1 with alg":    map[string]any{"kty": "EC", "crv": "secp256k1", "alg": "ES256K", "kid": "odd", "x": digits(32), "y": digits(32)},
	"point off its curve":   map[string]any{"kty": "EC", "crv": "P-256", "x": digits(32), "y": digits(32)},
	"short coordinate":      map[string]any{"kty": "EC", "crv": "P-256", "x": digits(31), "y": digits(32)},
	"unknown type":          map[string]any{"kty": "AKP", "alg": "ML-DSA-44", "pub": digits(9)},
	"no type":               map[string]any{"kid": "odd"},
	"symmetric":             map[string]any{"kty": "oct", "alg": "HS256", "k": digits(32)},
	"X25519":                map[string]any{"kty": "OKP", "crv": "X25519", "x": digits(32)},
	"short Ed25519":         map[string]any{"kty": "OKP", "crv": "Ed25519", "x": digits(1)},
	"RSA without modulus":   map[string]any{"kty": "RSA", "e": "AQAB"},
	"broken base64":         map[string]any{"kty": "RSA", "n": "***", "e": "AQAB"},
	"wrong member types":    map[string]any{"kty": 1, "use": []string{"sig"}},
	"broken certificate":    map[string]any{"kty": "RSA", "n": digits(256), "e": "AQAB", "x5c": []string{"no"}},
	"number":                7,
	"null":                  nil,
	"array":                 []any{},
}

func TestAnUnusableKeyDoesNotAffectOtherKeys(t *testing.T) {
	for name, key := range unusable {
		var log bytes.Buffer
		issuer := oidctest.New()
		t.Cleanup(issuer.Close)
		authenticator := oidc.New(oidc.Options{
			Issuer: issuer.URL(), Audience: oidctest.Audience, RoleClaim: "role", Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		issuer.PublishExtra(key)
		for range 2 {
			if got := refusal(t, authenticator, issuer.Token(nil)); got != "" {
				t.Errorf("%s: a token of the good key: got %q", name, got)
			}
			if got := refusal(t, authenticator, issuer.ForgedToken("unknown key", nil)); got != apierror.CredentialInvalid {
				t.Errorf("%s: a token of an unknown key: got %q", name, got)
			}
		}
		if got := strings.Count(log.String(), "key 1: "); got != 1 {
			t.Errorf("%s: logged %d times, want once:\n%s", name, got, &log)
		}
	}
}

// modified are forms in which the signing key is published, and whether it is usable then.
var modified = map[string]struct {
	algorithm string
	change    func(key map[string]any)
	usable    bool
}{
	"unchanged":                 {"RS256", func(map[string]any) {}, true},
	"no use":                    {"RS256", func(key map[string]any) { delete(key, "use") }, true},
	"its own alg":               {"RS256", func(key map[string]any) { key["alg"] = "RS256" }, true},
	"operations with verify":    {"ES256", func(key map[string]any) { key["key_ops"] = []string{"sign", "verify"} }, true},
	"for encryption":            {"RS256", func(key map[string]any) { key["use"] = "enc" }, false},
	"for something unknown":     {"RS256", func(key map[string]any) { key["use"] = "Sig" }, false},
	"operations for keys":       {"RS256", func(key map[string]any) { key["key_ops"] = []string{"wrapKey"} }, false},
	"no operations":             {"EdDSA", func(key map[string]any) { key["key_ops"] = []string{} }, false},
	"another hash":              {"RS256", func(key map[string]any) { key["alg"] = "RS512" }, false},
	"another padding":           {"RS256", func(key map[string]any) { key["alg"] = "PS256" }, false},
	"another type's alg":        {"ES256", func(key map[string]any) { key["alg"] = "RS256" }, false},
	"an algorithm of keys":      {"RS256", func(key map[string]any) { key["alg"] = "RSA-OAEP" }, false},
	"a symmetric alg":           {"RS256", func(key map[string]any) { key["alg"] = "HS256" }, false},
	"under another key id":      {"RS256", func(key map[string]any) { key["kid"] = "other" }, false},
	"with its private exponent": {"EdDSA", func(key map[string]any) { key["d"] = digits(32) }, false},
}

func TestAKeyIsUsedAsPublished(t *testing.T) {
	for name, test := range modified {
		issuer, authenticator := start(t)
		issuer.Rotate(test.algorithm)
		issuer.ModifyKeys(test.change)
		want := apierror.CredentialInvalid
		if test.usable {
			want = ""
		}
		if got := refusal(t, authenticator, issuer.Token(nil)); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestHeadersOfTokens(t *testing.T) {
	for name, test := range map[string]struct {
		header map[string]any
		want   apierror.Reason
	}{
		"no key id":            {map[string]any{"kid": nil}, ""},
		"an empty key id":      {map[string]any{"kid": ""}, ""},
		"another type of key":  {map[string]any{"alg": "ES256"}, apierror.CredentialInvalid},
		"another hash":         {map[string]any{"alg": "RS512"}, apierror.CredentialInvalid},
		"no algorithm":         {map[string]any{"alg": nil}, apierror.CredentialInvalid},
		"none":                 {map[string]any{"alg": "none"}, apierror.CredentialInvalid},
		"symmetric":            {map[string]any{"alg": "HS256"}, apierror.CredentialInvalid},
		"an unknown extension": {map[string]any{"crit": []string{"exp"}, "exp": 1}, apierror.CredentialInvalid},
		"a private extension":  {map[string]any{"crit": []string{"b64x"}, "b64x": true}, apierror.CredentialInvalid},
	} {
		issuer, authenticator := start(t)
		if got := refusal(t, authenticator, issuer.TokenWith(test.header, nil)); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestAllKeysWithTheSameIDAreTried(t *testing.T) {
	issuer, authenticator := start(t)
	var old map[string]any
	issuer.ModifyKeys(func(key map[string]any) { key["kid"], old = "same", key })
	token := issuer.TokenWith(map[string]any{"kid": "same"}, nil)
	if got := refusal(t, authenticator, token); got != "" {
		t.Fatalf("got %q", got)
	}
	issuer.Rotate("ES256")
	issuer.PublishExtra(old)
	issuer.ModifyKeys(func(key map[string]any) { key["kid"] = "same" })
	for name, token := range map[string]string{"old": token, "new": issuer.TokenWith(map[string]any{"kid": "same"}, nil)} {
		if got := refusal(t, authenticator, token); got != "" {
			t.Errorf("the %s key: got %q", name, got)
		}
	}
}

func TestInvalidKeySetsRemoveNoKeys(t *testing.T) {
	for name, body := range map[string]string{
		"HTML": "<html>please log in</html>", "nothing": "", "an array": "[]", "no keys": "{}", "null": `{"keys":null}`,
		"an object": `{"keys":{}}`, "cut off": `{"keys":[`, "too large": `{"keys":[],"x":"` + strings.Repeat("x", 1<<20) + `"}`,
	} {
		if body == "" {
			body = " "
		}
		issuer, authenticator := start(t)
		known := issuer.Token(nil)
		issuer.SetKeysBody(body)
		if got := refusal(t, authenticator, known); got != apierror.IssuerUnavailable {
			t.Errorf("%s, at first: got %q", name, got)
		}
		issuer.SetKeysBody("")
		if got := refusal(t, authenticator, known); got != "" {
			t.Errorf("%s, then keys: got %q", name, got)
		}
		issuer.SetKeysBody(body)
		if got := refusal(t, authenticator, known); got != "" {
			t.Errorf("%s, later: got %q", name, got)
		}
	}
}

func TestKeysAfterTheHundredthAreIgnored(t *testing.T) {
	issuer, authenticator := start(t)
	var key map[string]any
	issuer.ModifyKeys(func(public map[string]any) { key = public })
	if got := refusal(t, authenticator, issuer.Token(nil)); got != "" {
		t.Fatalf("got %q", got)
	}
	others := make([]any, 100)
	for i := range others {
		others[i] = key
	}
	issuer.PublishExtra(others...)
	issuer.Rotate("ES256")
	if got := refusal(t, authenticator, issuer.Token(nil)); got != apierror.CredentialInvalid {
		t.Errorf("the 101st key: got %q", got)
	}
}

// An issuer with another name may be another issuer. The error contains both names.
func TestAnIssuerMismatchIsNotAnOutage(t *testing.T) {
	for _, suffix := range []string{"/", "/realm"} {
		issuer, authenticator := start(t)
		issuer.SetName(issuer.URL() + suffix)
		_, err := authenticate(t, authenticator, issuer.Token(nil))
		if apierror.ReasonOf(err) != apierror.IssuerMismatch {
			t.Fatalf("%s: got %v", suffix, err)
		}
		for _, name := range []string{`"` + issuer.URL() + `"`, `"` + issuer.URL() + suffix + `"`} {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("%s: the error does not contain %s: %v", suffix, name, err)
			}
		}
		issuer.SetName("")
		if got := refusal(t, authenticator, issuer.Token(nil)); got != "" {
			t.Errorf("%s, after the repair: got %q", suffix, got)
		}
	}
}
