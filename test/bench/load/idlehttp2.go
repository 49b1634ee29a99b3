package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/audian/participant-gateway/test/bench/load/serve"
)

// idleHTTP2Streams opens streams, as many on a connection as the gateway allows, and reads the
// first message of each. What comes later stays in the client's memory.
func idleHTTP2Streams(ctx context.Context, addr string, streams int) (closeAll func(), err error) {
	ctx, closeAll = context.WithCancel(ctx) // The streams end with their requests' context.
	var http2 http.Protocols
	http2.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: &http2}}
	var group errgroup.Group
	group.SetLimit(concurrentConnects)
	for range streams {
		group.Go(func() error { return openHTTP2Stream(ctx, client, addr) })
	}
	if err := group.Wait(); err != nil {
		closeAll()
		return nil, fmt.Errorf("open streams: %w", err)
	}
	return closeAll, nil
}

// openHTTP2Stream opens a stream that ends with ctx.
func openHTTP2Stream(ctx context.Context, client *http.Client, addr string) error {
	address := "http://" + addr + "/v2/conferences/" + serve.Conference(10, 0) + "/participants:watch?heartbeat_interval=60s"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	request.Header.Set("Accept", eventStream)
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return errors.New("watch: " + response.Status)
	}
	return readMessage(response.Body)
}
