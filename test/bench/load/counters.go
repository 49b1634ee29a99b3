package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// counters count what clients received.
type counters struct {
	units, bytes atomic.Int64
	// connected counts the streams that received a message.
	connected atomic.Int64
	failure   atomic.Pointer[error]
}

func (c *counters) add(units, bytes int) {
	c.units.Add(int64(units))
	c.bytes.Add(int64(bytes))
}

// fail keeps the first failure of a client, unless the clients were stopped.
func (c *counters) fail(ctx context.Context, err error) {
	if ctx.Err() == nil {
		c.failure.CompareAndSwap(nil, &err)
	}
}

func (c *counters) err() error {
	if failure := c.failure.Load(); failure != nil {
		return *failure
	}
	return nil
}

// connectTimeout bounds how long the clients of one measurement need to connect.
const connectTimeout = 2 * time.Minute

// waitForStreams waits until that many streams have received a message.
func (c *counters) waitForStreams(ctx context.Context, streams int) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	for c.connected.Load() < int64(streams) {
		if err := c.err(); err != nil {
			return err
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return fmt.Errorf("%d of %d streams have received a message: %w", c.connected.Load(), streams, err)
		}
	}
	return nil
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// figures are the result of one measurement.
type figures struct {
	// cost is the server's processor time for each unit: an event, a call or a poll.
	cost time.Duration
	// memory is the server's resident memory for each subscriber, in bytes.
	memory float64
	// size is the number of bytes of a unit at the client.
	size float64
	// rate is the number of units a second.
	rate float64
	// profile is the CPU profile of the measurement, if one was taken.
	profile []byte
}

// counter returns what was delivered so far.
type counter func() (units, bytes int64, err error)

// measure measures what the units that count returns cost the process, for a duration, or
// longer if there is no unit within it.
func measure(ctx context.Context, p *process, d time.Duration, count counter) (figures, error) {
	units, bytes, err := count()
	if err != nil {
		return figures{}, err
	}
	used, err := p.cpu()
	if err != nil {
		return figures{}, err
	}
	began := time.Now()
	for {
		if err := pause(ctx, d); err != nil {
			return figures{}, err
		}
		usedThen, err := p.cpu()
		if err != nil {
			return figures{}, err
		}
		took := time.Since(began)
		unitsThen, bytesThen, err := count()
		if err != nil {
			return figures{}, err
		}
		if delivered := float64(unitsThen - units); delivered > 0 {
			return figures{
				cost: time.Duration(float64(usedThen-used) / delivered),
				size: float64(bytesThen-bytes) / delivered,
				rate: delivered / took.Seconds(),
			}, nil
		}
	}
}

// count returns what was received, or the first failure.
func (c *counters) count() (units, bytes int64, err error) {
	return c.units.Load(), c.bytes.Load(), c.err()
}
