package audian

import "github.com/audian/participant-gateway/internal/redact"

// Credential identifies the gateway, or a caller, to the upstream. It is a secret, and
// fmt, slog and encoders hide it.
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

// StaticToken is a token of the gateway's own that is sent as it is. The upstream
// refusing it is the gateway's trouble, which no caller can cure.
func StaticToken(token string) Credential { return Credential{redact.Secret(token), staticToken} }

// APIKey is a key of the gateway's own that is exchanged for tokens, which are renewed
// when the upstream refuses them.
func APIKey(key string) Credential { return Credential{redact.Secret(key), exchangedKey} }

// CallerToken is a caller's token that is passed through. The upstream refusing it is
// an answer for that caller.
func CallerToken(token string) Credential { return Credential{redact.Secret(token), callerToken} }
