package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// deliveries follow each message of a conference to its last subscriber.
type deliveries struct {
	counters

	lagged  atomic.Int64
	started atomic.Bool

	mu       sync.Mutex
	finished []time.Duration
}

// start begins the measurement.
func (r *deliveries) start() { r.started.Store(true) }

// complete returns the delays of all lists whose message every subscriber has.
func (r *deliveries) complete() []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.finished
}

// conferenceDeliveries are the messages of one conference that some subscribers lack.
type conferenceDeliveries struct {
	*deliveries

	subscribers int
	mu          sync.Mutex
	open        map[string]int
}

// watch opens subscribers of a conference.
func (r *deliveries) watch(ctx context.Context, g *gateway, conference string, subscribers int) error {
	c := &conferenceDeliveries{deliveries: r, subscribers: subscribers, open: map[string]int{}}
	request := []byte(watchRequest(g.httpAddr, conference, eventStream, ""))
	dial := dialTo(g.httpAddr)
	for i := range subscribers {
		conn, err := dial(ctx, i)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		context.AfterFunc(ctx, func() { _ = conn.Close() })
		if _, err := conn.Write(request); err != nil {
			return fmt.Errorf("send a request: %w", err)
		}
		go func() {
			defer func() { _ = conn.Close() }()
			c.fail(ctx, c.read(conn))
		}()
	}
	return nil
}

// read reads messages until the stream ends.
func (c *conferenceDeliveries) read(conn net.Conn) error {
	lines := bufio.NewScanner(conn)
	lines.Buffer(make([]byte, 4<<10), 1<<20)
	for connected := false; lines.Scan(); {
		message, isData := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !isData {
			continue
		}
		c.add(1, len(message))
		if !connected {
			connected = true
			c.connected.Add(1)
		}
		if bytes.Contains(message, []byte(`"reason":"LAGGED"`)) {
			c.lagged.Add(1)
		}
		if err := c.received(message); err != nil {
			return err
		}
	}
	return fmt.Errorf("a stream ended: %w", errors.Join(lines.Err(), io.ErrUnexpectedEOF))
}

// received records a message of changes. Its not_after is the end of the list.
func (c *conferenceDeliveries) received(message []byte) error {
	now := time.Now()
	_, after, isChange := bytes.Cut(message, []byte(`"not_after":"`))
	if !isChange || !c.started.Load() {
		return nil
	}
	text, _, _ := bytes.Cut(after, []byte(`"`))
	if !c.isLast(string(text)) {
		return nil
	}
	ended, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return fmt.Errorf("read the end of a list: %w", err)
	}
	c.deliveries.mu.Lock()
	defer c.deliveries.mu.Unlock()
	c.finished = append(c.finished, now.Sub(ended))
	return nil
}

// isLast reports whether all other subscribers already have the message of a list.
func (c *conferenceDeliveries) isLast(list string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[list]++
	if c.open[list] < c.subscribers {
		return false
	}
	delete(c.open, list)
	return true
}
