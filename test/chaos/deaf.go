package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
)

// crowded is a conference whose snapshot is larger than what a connection holds for a
// client that does not read.
const crowded = "conf_crowd"

const crowd = 1000

// blockedFor is how long the gateway waits for a client that does not read (W12), and
// noticed how much later the client must have been left.
const blockedFor, noticed = 60 * time.Second, 5 * time.Second

// ignore has clients at both doors of a gateway of their own that never read, and one
// who does. After a minute the first are left, and the last has missed nothing.
func (w *world) ignore(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	vendor, err := startUpstream(ctx, simulator.Options{MaxParticipants: crowd, Tokens: []string{secret}, NoManagement: true})
	if err != nil {
		return err
	}
	defer vendor.kill()
	for n := range crowd {
		vendor.AddPerson(crowded, simulator.Person{
			ID: fmt.Sprint("guest_", n), Name: strings.Repeat("\u00e9", 100), Status: "connected",
		})
	}
	g, err := w.launch(ctx, vendor.at())
	if err != nil {
		return err
	}
	defer func() { w.drained(g, g.terminate()) }()
	return w.besideTheDeaf(ctx, g, vendor)
}

func (w *world) besideTheDeaf(ctx context.Context, g *gateway, vendor *upstream) error {
	overGRPC, err := deafGRPC(ctx, g)
	if err != nil {
		return err
	}
	overHTTP, err := deafHTTP(ctx, g)
	if err != nil {
		return err
	}
	w.tally.fault("clients that never read")
	if err := attend(ctx, g, vendor, blockedFor+noticed); err != nil {
		return err
	}
	if err := overGRPC(); reasonOf(err) != "CLIENT_BLOCKED" {
		w.tally.brokenf(endedUnasked, "a gRPC client that never read: %v", err)
	}
	if err := overHTTP(); err == nil || reasonOf(err) != "" {
		w.tally.brokenf(endedUnasked, "an HTTP client that never read was not cut: %v", err)
	}
	return nil
}

// flood is how many changes of everybody come one after another at first: more than the
// operating system keeps for clients that do not read.
const flood = 12

// attend changes everybody again and again, and has a client who reads hear of it.
func attend(ctx context.Context, g *gateway, vendor *upstream, length time.Duration) error {
	stream, err := g.client.WatchParticipants(ctx, &v2.WatchParticipantsRequest{ConferenceId: crowded})
	if err != nil {
		return fmt.Errorf("a client who reads: %w", err)
	}
	var flooded time.Time
	for n, held := 0, (roster{}); n <= flood || time.Since(flooded) < length; n++ {
		if n >= flood {
			pause(ctx, 2*time.Second)
		} else {
			flooded = time.Now()
		}
		status := []string{"held", "connected"}[n%2]
		for guest := range crowd {
			vendor.SetStatus(crowded, fmt.Sprint("guest_", guest), status)
		}
		if err := hear(stream, held, status); err != nil {
			return fmt.Errorf("a client who reads: %w", err)
		}
	}
	return nil
}

// hear reads until it holds the change, which is to be soon.
func hear(stream v2.ParticipantService_WatchParticipantsClient, held roster, status string) error {
	began := time.Now()
	for held["guest_0"].Status != status {
		told, err := stream.Recv()
		if err != nil {
			return err //nolint:wrapcheck // A status, which a wrapping would hide.
		}
		if err := held.apply(messageOf(told)); err != nil {
			return err
		}
	}
	if took := time.Since(began); took > firstWithin {
		return fmt.Errorf("told after %s", took)
	}
	return nil
}

// deafGRPC opens a stream and reads nothing; finish reads to how it ended.
func deafGRPC(ctx context.Context, g *gateway) (finish func() error, err error) {
	const narrow = 65535 // The smallest window there is.
	conn, err := g.dial(grpc.WithInitialWindowSize(narrow), grpc.WithInitialConnWindowSize(narrow))
	if err != nil {
		return nil, err
	}
	stream, err := v2.NewParticipantServiceClient(conn).WatchParticipants(ctx, &v2.WatchParticipantsRequest{ConferenceId: crowded})
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

// deafHTTP asks for a stream over a connection with little room, and reads nothing.
func deafHTTP(ctx context.Context, g *gateway) (finish func() error, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", g.httpAddr)
	if err != nil {
		return nil, fmt.Errorf("a client that never reads: %w", err)
	}
	_, err = fmt.Fprintf(conn, "GET %s:watch HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", pathOf(crowded), g.httpAddr)
	if err != nil {
		return nil, fmt.Errorf("a client that never reads: %w", err)
	}
	return func() error {
		defer func() { _ = conn.Close() }()
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		return readAll(bufio.NewReader(conn))
	}, nil
}

// readAll reads events up to how they end: cut amid one, or in words.
func readAll(lines *bufio.Reader) error {
	response, err := http.ReadResponse(lines, nil)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	for events := bufio.NewReader(response.Body); ; {
		if _, err := nextBlock(events); err != nil {
			if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
				return nil // Still open.
			}
			return err
		}
	}
}
