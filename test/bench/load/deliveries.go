package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// deliveries follow the changes of each list to their last subscriber.
type deliveries struct {
	counters

	lagged  atomic.Int64
	started atomic.Bool

	mu       sync.Mutex
	finished []time.Duration
}

// start begins the measurement of delays.
func (d *deliveries) start() { d.started.Store(true) }

// delays returns, for each list that all subscribers know, the time from its end to its message
// at the last subscriber.
func (d *deliveries) delays() []time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.finished
}

// conferenceDeliveries are those of one conference.
type conferenceDeliveries struct {
	*deliveries

	conference  string
	subscribers int

	mu sync.Mutex
	// received counts the subscribers that have the message of a list, by the list's end.
	received map[int64]int
}

// watch opens the subscribers of a conference.
func (d *deliveries) watch(ctx context.Context, g *gateway, conference string, subscribers int, overGRPC bool) error {
	c := &conferenceDeliveries{deliveries: d, conference: conference, subscribers: subscribers, received: map[int64]int{}}
	if overGRPC {
		return c.watchGRPC(ctx, g.grpcAddr)
	}
	return c.watchSSE(ctx, g.httpAddr)
}

// message records a message of a stream: its size, whether it is a LAGGED snapshot, and for
// changes the end of the list that showed them.
func (c *conferenceDeliveries) message(first bool, size int, lagged bool, listEnded time.Time) {
	now := time.Now()
	c.add(1, size)
	if first {
		c.connected.Add(1)
	}
	if lagged {
		c.lagged.Add(1)
	}
	if listEnded.IsZero() || !c.started.Load() || !c.isLast(listEnded.UnixNano()) {
		return
	}
	c.deliveries.mu.Lock()
	defer c.deliveries.mu.Unlock()
	c.finished = append(c.finished, now.Sub(listEnded))
}

// isLast reports whether all other subscribers already have the message of a list.
func (c *conferenceDeliveries) isLast(list int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.received[list]++
	if c.received[list] < c.subscribers {
		return false
	}
	delete(c.received, list)
	return true
}

// ended is the failure of a stream that should go on.
func (c *conferenceDeliveries) ended(ctx context.Context, err error) {
	c.fail(ctx, fmt.Errorf("a stream of %s ended: %w", c.conference, err))
}
