package audian

import "log/slog"

// Credential is what the upstream knows the gateway, or a caller, by. It shows itself
// to nobody: not to fmt, nor to slog.
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

// StaticToken is a token of the gateway's own that is sent as it is. The upstream
// refusing it is the gateway's trouble, which no caller can cure.
func StaticToken(token string) Credential { return Credential{staticToken, token} }

// APIKey is a key of the gateway's own that is exchanged for tokens, which are renewed
// when the upstream refuses them.
func APIKey(key string) Credential { return Credential{exchangedKey, key} }

// CallerToken is a caller's token that is passed through. The upstream refusing it is
// an answer for that caller.
func CallerToken(token string) Credential { return Credential{callerToken, token} }

// Reveal gives the secret itself, for fingerprints.
func (c Credential) Reveal() string { return c.secret }

// String hides the secret from fmt.
func (Credential) String() string { return redacted }

// GoString hides the secret from %#v.
func (Credential) GoString() string { return redacted }

// LogValue hides the secret from slog.
func (Credential) LogValue() slog.Value { return slog.StringValue(redacted) }

const redacted = "[redacted]"
