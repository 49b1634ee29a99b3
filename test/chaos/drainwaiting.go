package main

import (
	"bufio"
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/test/watchclient"
)

// waitingClients is how many EventSource clients wait for their first message.
const waitingClients = 40

// drainWaiting terminates the gateway while EventSource clients wait for their first
// message, and others connect. Each gets 200 and a failure with a retry, or no
// connection: after any other answer it would give up for good (W16).
func drainWaiting(ctx context.Context, w *harness, _ *rand.Rand) error {
	const conference = "conf_waiting"
	return w.isolated(ctx, simulator.Options{}, defaultPolls(), func(ctx context.Context, h *harness) error {
		h.upstream.Inject(simulator.Fault{Kind: simulator.FaultLatency, Operation: simulator.List, Latency: 4 * time.Second})
		g := h.gateway.Load()
		var clients sync.WaitGroup
		for n := range waitingClients {
			clients.Go(func() {
				if n%2 == 1 { // Connects while the gateway drains.
					pause(ctx, time.Second+time.Duration(n-waitingClients/2)*5*time.Millisecond)
				}
				h.waitForFailure(ctx, g, conference)
			})
		}
		pause(ctx, time.Second)
		h.checkDrain(g, g.terminate())
		clients.Wait()
		return nil
	})
}

// waitForFailure is an EventSource that waits until its stream ends.
func (w *harness) waitForFailure(ctx context.Context, g *gateway, conference string) {
	own := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := watchclient.OpenSSE(ctx, own, g.httpAddr, watchclient.Request{Conference: conference})
	if err != nil {
		if !g.ending.Load() {
			w.results.violatef(wrongDrains, "no answer before the end: %v", err)
		}
		w.results.stream("EventSource not connected to a gateway that drains")
		return
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		w.results.violatef(wrongDrains, "an EventSource was answered %d", response.StatusCode)
		return
	}
	fields, err := lastEvent(bufio.NewReader(response.Body))
	reason := watchclient.ReasonOf(watchclient.FailureOf(fields["data"]))
	if fields["event"] != "failure" || fields["retry"] == "" || reason != "DRAINING" {
		w.results.violatef(wrongDrains, "an EventSource ended with %v: %v", fields, err)
		return
	}
	w.results.stream("EventSource ended before its first message: DRAINING")
}

// lastEvent returns the fields of the last event of a stream.
func lastEvent(lines *bufio.Reader) (fields map[string]string, err error) {
	fields, next := map[string]string{}, map[string]string{}
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return fields, err //nolint:wrapcheck // Only shown in a finding.
		}
		if line = strings.TrimSuffix(line, "\n"); line == "" {
			fields, next = next, map[string]string{}
			continue
		}
		name, value, _ := strings.Cut(line, ": ")
		next[name] = value
	}
}
