package config

import (
	"errors"
	"log/slog"
	"reflect"

	"github.com/alecthomas/kong"
)

const redacted = "[redacted]"

// Secret is text that shows itself to nobody who does not ask: not to fmt, nor to
// slog, nor to an encoder.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret from fmt.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// decodeSecret is in place of kong's own decoder, whose complaint about a value
// that starts with a hyphen shows the value.
func decodeSecret(ctx *kong.DecodeContext, target reflect.Value) error {
	token, err := ctx.Scan.PopValue("secret")
	if err != nil {
		return errors.New("needs a value, behind = where it starts with a hyphen")
	}
	target.SetString(token.String())
	return nil
}
