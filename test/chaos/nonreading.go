package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/test/watchclient"
)

// largeConference is a conference whose snapshot is larger than the buffers of a connection.
const largeConference = "conf_crowd"

const largeSize = 1000

// blockedFor is how long the gateway waits for a client that does not read (W12); the
// client must be disconnected noticedWithin later.
const blockedFor, noticedWithin = 60 * time.Second, 5 * time.Second

// nonReadingClients opens a stream over each transport that is never read, and one that
// is. The gateway ends the first after a minute; the last misses nothing.
func nonReadingClients(ctx context.Context, w *harness, _ *rand.Rand) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	upstream, err := startUpstream(ctx, simulator.Options{MaxParticipants: largeSize, Tokens: []string{secret}, NoAdminAPI: true})
	if err != nil {
		return err
	}
	defer upstream.kill()
	for n := range largeSize {
		upstream.AddParticipant(largeConference, simulator.Participant{
			ID: fmt.Sprint("guest_", n), Name: strings.Repeat("\u00e9", 100), Status: "connected",
		})
	}
	g, err := w.launch(ctx, "http://"+upstream.at(), fastPolls())
	if err != nil {
		return err
	}
	defer func() { w.checkDrain(g, g.terminate()) }()
	return w.runNonReading(ctx, g, upstream)
}

func (w *harness) runNonReading(ctx context.Context, g *gateway, upstream *upstreamServer) error {
	overGRPC, err := nonReadingGRPC(ctx, g)
	if err != nil {
		return err
	}
	overHTTP, err := nonReadingHTTP(ctx, g)
	if err != nil {
		return err
	}
	w.results.fault("clients that never read")
	if err := changeWhileReading(ctx, g, upstream, blockedFor+noticedWithin); err != nil {
		return err
	}
	if err := overGRPC(); watchclient.ReasonOf(err) != "CLIENT_BLOCKED" {
		w.results.violatef(unexpectedEnds, "a gRPC client that never read: %v", err)
	}
	if err := overHTTP(); err == nil || watchclient.ReasonOf(err) != "" {
		w.results.violatef(unexpectedEnds, "an HTTP client that never read was not cut: %v", err)
	}
	return nil
}

// initialBursts is how often all participants change at first, without a pause: more than
// the operating system buffers for a client that does not read.
const initialBursts = 12

// changeWhileReading changes all participants again and again while one client reads.
func changeWhileReading(ctx context.Context, g *gateway, upstream *upstreamServer, length time.Duration) error {
	stream, err := g.client.WatchParticipants(ctx, &v2.WatchParticipantsRequest{ConferenceId: largeConference})
	if err != nil {
		return fmt.Errorf("a client that reads: %w", err)
	}
	var flooded time.Time
	for n, held := 0, (roster{}); n <= initialBursts || time.Since(flooded) < length; n++ {
		if n >= initialBursts {
			pause(ctx, 2*time.Second)
		} else {
			flooded = time.Now()
		}
		status := []string{"held", "connected"}[n%2]
		for guest := range largeSize {
			upstream.SetStatus(largeConference, fmt.Sprint("guest_", guest), status)
		}
		if err := readUntil(stream, held, status); err != nil {
			return fmt.Errorf("a client that reads: %w", err)
		}
	}
	return nil
}

// readUntil reads until the client holds the change, which must be soon.
func readUntil(stream v2.ParticipantService_WatchParticipantsClient, held roster, status string) error {
	began := time.Now()
	for held["guest_0"].Status != status {
		msg, err := stream.Recv()
		if err != nil {
			return err //nolint:wrapcheck // A status, which a wrapping would hide.
		}
		if err := held.Apply(watchclient.MessageOf(msg)); err != nil {
			return err
		}
	}
	if took := time.Since(began); took > firstWithin {
		return fmt.Errorf("received after %s", took)
	}
	return nil
}

// nonReadingGRPC opens a stream and does not read it; finish reads it to its end.
func nonReadingGRPC(ctx context.Context, g *gateway) (finish func() error, err error) {
	const narrow = 65535 // The smallest window there is.
	conn, err := g.dial(grpc.WithInitialWindowSize(narrow), grpc.WithInitialConnWindowSize(narrow))
	if err != nil {
		return nil, err
	}
	stream, err := v2.NewParticipantServiceClient(conn).WatchParticipants(ctx, &v2.WatchParticipantsRequest{ConferenceId: largeConference})
	if err != nil {
		return nil, fmt.Errorf("a client that never reads: %w", err)
	}
	return func() error {
		defer func() { _ = conn.Close() }()
		for {
			if _, err := stream.Recv(); err != nil {
				return err //nolint:wrapcheck // A status, which a wrapping would hide.
			}
		}
	}, nil
}

// nonReadingHTTP opens a stream over one connection and does not read it; finish reads it
// to its end.
func nonReadingHTTP(ctx context.Context, g *gateway) (finish func() error, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", g.httpAddr)
	if err != nil {
		return nil, fmt.Errorf("a client that never reads: %w", err)
	}
	const request = "GET %s:watch HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n"
	_, err = fmt.Fprintf(conn, request, pathOf(largeConference), g.httpAddr)
	if err != nil {
		return nil, fmt.Errorf("a client that never reads: %w", err)
	}
	return func() error {
		defer func() { _ = conn.Close() }()
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		return readAll(bufio.NewReader(conn))
	}, nil
}

// readAll reads events to the end of the stream: an error if it was cut or failed, nil if
// it is still open.
func readAll(lines *bufio.Reader) error {
	response, err := http.ReadResponse(lines, nil)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	for events := bufio.NewReader(response.Body); ; {
		if _, err := watchclient.NextEvent(events); err != nil {
			if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
				return nil // Still open.
			}
			return err
		}
	}
}
