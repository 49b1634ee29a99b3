package audian

import "context"

// Authenticate makes sure that there is a token to send, exchanging the key for one where
// there is none yet. Its error is that of a call that was surely not sent.
func (c *Client) Authenticate(ctx context.Context) error {
	_, err := c.token(ctx, "")
	return err
}
