package service

import (
	"context"

	"github.com/audian/participant-gateway/internal/detached"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

// Poll returns the message that is due, or nil. The message is valid until the next call.
func (c *conference) Poll() (*wire.Message, error) {
	message, err := c.Subscription.Poll()
	if message == nil || err != nil {
		return nil, err
	}
	return c.message.Set(message), nil
}

// detach leaves a stream to its transport. It waits for the first message, so that an earlier error
// is the call's own.
func detach(ctx context.Context, subscription *watch.Subscription, call *detached.Call) error {
	defer func() {
		if call.Stream() == nil {
			subscription.Close()
		}
	}()
	first, err := subscription.Next(ctx)
	if err != nil {
		return err
	}
	call.Detach(&detached.Stream{First: wire.NewMessage(first), Source: &conference{Subscription: subscription}})
	return nil
}
