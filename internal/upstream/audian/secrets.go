package audian

import (
	"errors"
	"strings"
)

// secrets are what the upstream may repeat and must not be heard to: the token that was
// sent, the key that it came from, and the token that an answer brings.
type secrets []string

// minSecret is how long a secret must be to be told from a word by chance.
const minSecret = 8

// secrets are those of a request that is sent with token.
func (c *Client) secrets(token string) secrets {
	known := secrets{token, c.options.Credential.secret}
	if c.tokens != nil {
		known = append(known, c.tokens.cached())
	}
	return known
}

// hide takes the secrets out of a text.
func (s secrets) hide(text string) string {
	for _, secret := range s {
		if len(secret) >= minSecret {
			text = strings.ReplaceAll(text, secret, redacted)
		}
	}
	return text
}

// hideIn gives an error without the secrets, which is err itself where it has none.
func (s secrets) hideIn(err error) error {
	said := err.Error()
	if hidden := s.hide(said); hidden != said {
		return errors.New(hidden)
	}
	return err
}
