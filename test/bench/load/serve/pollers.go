package serve

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"time"
)

// serveFetch reads lists and discards them.
func serveFetch(ctx context.Context, _ net.Listener, o Options) error {
	upstream := newUpstreamClient(o.Upstream)
	var body bytes.Buffer // It is used again, so that later lists need few reads.
	return poll(ctx, o.Rate, func() error {
		response, err := upstream.open(ctx, o.Conference)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		body.Reset()
		if _, err := body.ReadFrom(response.Body); err != nil {
			return fmt.Errorf("read a list: %w", err)
		}
		return nil
	})
}

// serveFetchDecodeDiff decodes lists by encoding/json, and compares each with a map of the
// last one.
func serveFetchDecodeDiff(ctx context.Context, _ net.Listener, o Options) error {
	upstream := newUpstreamClient(o.Upstream)
	held := map[string]participant{}
	return poll(ctx, o.Rate, func() error {
		list, err := upstream.list(ctx, o.Conference)
		if err == nil {
			held, _ = diff(held, list.Participants)
		}
		return err
	})
}

// diff returns the listed participants by id, and how many were added, changed or removed.
func diff(held map[string]participant, list []participant) (listed map[string]participant, changes int) {
	listed = make(map[string]participant, len(list))
	for _, p := range list {
		listed[p.ID] = p
		before, found := held[p.ID]
		before.Duration = p.Duration
		if !found || before != p {
			changes++
		}
	}
	for id := range held {
		if _, found := listed[id]; !found {
			changes++
		}
	}
	return listed, changes
}

// poll calls read at a fixed rate until it fails or ctx ends.
func poll(ctx context.Context, rate float64, read func() error) error {
	ticker := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := read(); err != nil {
				return err
			}
		}
	}
}
