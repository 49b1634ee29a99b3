package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/centrifugal/centrifuge"
)

const channel = "events"

// serveCentrifuge subscribes every connection to one channel, and sends server-sent events.
func serveCentrifuge(ctx context.Context, o options, out io.Writer) error {
	node, err := newNode()
	if err != nil {
		return err
	}
	defer func() { _ = node.Shutdown(context.WithoutCancel(ctx)) }()
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/connection/sse", centrifuge.NewSSEHandler(node, centrifuge.SSEConfig{}))
	web := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	defer func() { _ = web.Close() }()
	go func() { _ = web.Serve(listener) }()
	if err := writeAddress(out, listener.Addr()); err != nil {
		return err
	}
	data := []byte(o.data())
	return o.publish(ctx, func() error {
		if _, err := node.Publish(channel, data); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		return nil
	})
}

func newNode() (*centrifuge.Node, error) {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return nil, fmt.Errorf("create Centrifuge: %w", err)
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{
			Credentials:   &centrifuge.Credentials{},
			Subscriptions: map[string]centrifuge.SubscribeOptions{channel: {}},
		}, nil
	})
	if err := node.Run(); err != nil {
		return nil, fmt.Errorf("run Centrifuge: %w", err)
	}
	return node, nil
}
