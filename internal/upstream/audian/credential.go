package audian

import "github.com/audian/participant-gateway/internal/redact"

// Credential is the upstream credential of the gateway or of a caller. fmt, slog and encoders
// redact it.
type Credential struct {
	redact.Secret

	kind credentialKind
}

type credentialKind uint8

const (
	staticToken credentialKind = iota
	exchangedKey
	callerToken
)

// StaticToken is the gateway's own token, sent as it is. If the upstream refuses it, that is an
// error of the gateway.
func StaticToken(token string) Credential { return Credential{redact.Secret(token), staticToken} }

// APIKey is the gateway's own key. It is exchanged for a token, and again when the upstream
// refuses that.
func APIKey(key string) Credential { return Credential{redact.Secret(key), exchangedKey} }

// CallerToken is a caller's token, passed through. If the upstream refuses it, that is an error of
// the caller.
func CallerToken(token string) Credential { return Credential{redact.Secret(token), callerToken} }
