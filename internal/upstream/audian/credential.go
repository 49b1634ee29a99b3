package audian

import "log/slog"

// Credential is the upstream credential of the gateway or of a caller. fmt and slog print it
// redacted.
type Credential struct {
	kind   credentialKind
	secret string
}

type credentialKind uint8

const (
	staticToken credentialKind = iota
	exchangedKey
	callerToken
)

// StaticToken is the gateway's own token, sent as it is. If the upstream refuses it, that is an
// error of the gateway.
func StaticToken(token string) Credential { return Credential{staticToken, token} }

// APIKey is the gateway's own key. It is exchanged for a token, and again when the upstream
// refuses that.
func APIKey(key string) Credential { return Credential{exchangedKey, key} }

// CallerToken is a caller's token, passed through. If the upstream refuses it, that is an error of
// the caller.
func CallerToken(token string) Credential { return Credential{callerToken, token} }

// Reveal returns the secret, for fingerprints.
func (c Credential) Reveal() string { return c.secret }

// String hides the secret from fmt.
func (Credential) String() string { return redacted }

// GoString hides the secret from %#v.
func (Credential) GoString() string { return redacted }

// LogValue hides the secret from slog.
func (Credential) LogValue() slog.Value { return slog.StringValue(redacted) }

const redacted = "[redacted]"
