package audian

import "context"

// Authenticate exchanges the API key for a token if there is none yet. Its errors are marked as
// those of a call that was not sent.
func (c *Client) Authenticate(ctx context.Context) error {
	_, err := c.token(ctx, "")
	return err
}
