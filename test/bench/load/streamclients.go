package main

import (
	"bytes"
	"context"
	"fmt"
	"net"

	"golang.org/x/sync/errgroup"
)

// concurrentConnects is how many clients connect at the same time.
const concurrentConnects = 50

// textStreams opens connections, sends a request on each, and counts the messages that it
// receives by a mark at the end of each. The clients end with ctx.
func textStreams(ctx context.Context, dial dialer, streams int, request, mark string, c *counters) error {
	var group errgroup.Group
	group.SetLimit(concurrentConnects)
	for i := range streams {
		group.Go(func() error {
			conn, err := dial(ctx, i)
			if err != nil {
				return fmt.Errorf("connect: %w", err)
			}
			if _, err := conn.Write([]byte(request)); err != nil {
				_ = conn.Close()
				return fmt.Errorf("send a request: %w", err)
			}
			context.AfterFunc(ctx, func() { _ = conn.Close() })
			go func() {
				defer func() { _ = conn.Close() }()
				c.fail(ctx, fmt.Errorf("a stream ended: %w", countMarks(conn, []byte(mark), c)))
			}()
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("open streams: %w", err)
	}
	return nil
}

// dialer opens the connection of a client with a number.
type dialer func(ctx context.Context, client int) (net.Conn, error)

// dialTo opens connections to an address.
func dialTo(addr string) dialer {
	return func(ctx context.Context, _ int) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", addr)
	}
}

// countMarks reads until the connection ends, and returns why. A mark has two bytes.
func countMarks(conn net.Conn, mark []byte, c *counters) (ended error) {
	buffer := make([]byte, 4<<10)
	connected := false
	kept := 0 // The last byte of a read may begin a mark.
	for {
		n, err := conn.Read(buffer[kept:])
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		read := buffer[:kept+n]
		marks := bytes.Count(read, mark)
		c.add(marks, n)
		if marks > 0 && !connected {
			connected = true
			c.connected.Add(1)
		}
		buffer[0] = read[len(read)-1]
		kept = 1
	}
}
