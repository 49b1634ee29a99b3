package redact

import (
	"errors"
	"log/slog"
	"strings"
)

// Secret is a token, key or password. fmt, slog and encoders show a placeholder; only
// Reveal returns the value.
type Secret string

const placeholder = "[redacted]"

// Reveal returns the secret value.
func (s Secret) Reveal() string { return string(s) }

// String returns the placeholder, or nothing for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return placeholder
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Secrets are known secrets that a text from outside may repeat.
type Secrets []Secret

// minLength is the length from which a secret is masked: a shorter one may occur in a
// text by chance.
const minLength = 8

// Mask replaces the secrets in a text.
func (s Secrets) Mask(text string) string {
	for _, secret := range s {
		if len(secret) >= minLength {
			text = strings.ReplaceAll(text, secret.Reveal(), placeholder)
		}
	}
	return text
}

// MaskError returns err itself if its text contains none of the secrets, else an error
// with the masked text alone.
func (s Secrets) MaskError(err error) error {
	text := err.Error()
	if masked := s.Mask(text); masked != text {
		return errors.New(masked)
	}
	return err
}
