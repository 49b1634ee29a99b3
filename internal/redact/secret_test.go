package redact_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/redact"
)

func TestSecretIsHidden(t *testing.T) {
	secret := redact.Secret("hidden-1")
	fields := struct{ Token redact.Secret }{secret}
	encoded, err := json.Marshal(map[string]redact.Secret{"token": secret})
	if err != nil {
		t.Fatal(err)
	}
	var text, lines bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("m", "a", secret, "b", []redact.Secret{secret}, "c", fields)
	slog.New(slog.NewJSONHandler(&lines, nil)).Info("m", "a", secret, "b", []redact.Secret{secret}, "c", fields)
	for name, shown := range map[string]string{
		"%s": fmt.Sprintf("%s", fields), "%v": fmt.Sprintf("%v", fields), "%+v": fmt.Sprintf("%+v", fields), "%#v": fmt.Sprintf("%#v", fields),
		"%q": fmt.Sprintf("%q", secret), "JSON": string(encoded), "slog text": text.String(), "slog JSON": lines.String(),
	} {
		if strings.Contains(shown, "hidden-1") || !strings.Contains(shown, "[redacted]") {
			t.Errorf("%s shows %s", name, shown)
		}
	}
	if got := secret.Reveal(); got != "hidden-1" {
		t.Errorf("Reveal returned %q", got)
	}
	if got := redact.Secret("").String(); got != "" {
		t.Errorf("an empty secret shows %q, want nothing", got)
	}
}

func TestSecretsAreMaskedInTexts(t *testing.T) {
	known := redact.Secrets{"", "short", "static-token-1"}
	for text, want := range map[string]string{
		"short of time":                    "short of time",
		"at static-token-1":                "at [redacted]",
		"static-token-1, static-token-1":   "[redacted], [redacted]",
		"a longer one, static-token-12":    "a longer one, [redacted]2",
		"static-token is only a beginning": "static-token is only a beginning",
	} {
		if got := known.Mask(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	plain := errors.New("short of time")
	if got := known.MaskError(plain); !errors.Is(got, plain) {
		t.Errorf("an error without secrets: got %v", got)
	}
	if got := known.MaskError(errors.New("at static-token-1")).Error(); got != "at [redacted]" {
		t.Errorf("an error with a secret: got %q", got)
	}
}
