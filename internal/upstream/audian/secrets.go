package audian

import "github.com/audian/participant-gateway/internal/redact"

// secrets returns what an answer to a request with this token may repeat, and no error
// or log may show: the token, the key it was exchanged for, and the current token.
func (c *Client) secrets(token string) redact.Secrets {
	known := redact.Secrets{redact.Secret(token), c.options.Credential.Secret}
	if c.tokens != nil {
		known = append(known, redact.Secret(c.tokens.cached()))
	}
	return known
}
