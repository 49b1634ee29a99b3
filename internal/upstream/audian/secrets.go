package audian

import (
	"errors"
	"strings"
)

// secrets must not appear in errors, although the upstream may repeat them: the token of the
// request, the API key, and the token in the response.
type secrets []string

// minSecret is the least length of a secret that is redacted: shorter ones may be words.
const minSecret = 8

// secrets returns those of a request that is sent with token.
func (c *Client) secrets(token string) secrets {
	known := secrets{token, c.options.Credential.secret}
	if c.tokens != nil {
		known = append(known, c.tokens.cached())
	}
	return known
}

// hide redacts the secrets in a text.
func (s secrets) hide(text string) string {
	for _, secret := range s {
		if len(secret) >= minSecret {
			text = strings.ReplaceAll(text, secret, redacted)
		}
	}
	return text
}

// hideIn returns err, or an error with its redacted text if that contains a secret.
func (s secrets) hideIn(err error) error {
	text := err.Error()
	if hidden := s.hide(text); hidden != text {
		return errors.New(hidden)
	}
	return err
}
