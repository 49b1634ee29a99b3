package redisconn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"
)

const (
	// probeInterval is the time between two probes, and retryInterval that while Redis does
	// not answer.
	probeInterval = time.Second
	retryInterval = 200 * time.Millisecond
	// probeTimeout and probeInterval are together how long an absence may be unknown.
	probeTimeout = time.Second
)

// probeSoon asks for a probe at once.
func (c *Conn) probeSoon() {
	select {
	case c.woken <- struct{}{}:
	default:
	}
}

func (c *Conn) probeUntil(ctx context.Context) {
	for {
		interval := probeInterval
		if !c.Available() {
			interval = retryInterval
		}
		timer := time.NewTimer(interval)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		case <-c.woken:
			timer.Stop()
		}
		c.probe(ctx)
	}
}

// probe asks Redis what it is and for its time. A process that it sees for the first time must
// have all commands.
func (c *Conn) probe(ctx context.Context) {
	last := c.current()
	found := state{runID: last.runID, replicas: last.replicas}
	s, err := c.info(ctx)
	if err == nil {
		found.runID, found.replicas = s.runID(), s.replicas()
		err = c.check(ctx, s)
	}
	if ctx.Err() != nil {
		return
	}
	c.closeStale(err)
	err = cmp.Or(err, c.subs.refusal())
	found.err, found.reason = unusable(err), reason(err)
	c.log(ctx, last, found, s, c.set(found))
}

func (c *Conn) info(ctx context.Context) (server, error) {
	limited, cancel := context.WithTimeout(nested(ctx), probeTimeout)
	defer cancel()
	general, err := c.client.Info(limited, "server").Result()
	if err != nil {
		return server{}, err //nolint:wrapcheck // It becomes the reason why Redis cannot be used.
	}
	replication, err := c.client.Info(limited, "replication").Result()
	return parseInfo(general, replication), err
}

// check returns why a server cannot be used.
func (c *Conn) check(ctx context.Context, s server) error {
	if err := s.check(); err != nil {
		return err
	}
	if s.runID() != c.RunID() {
		c.clock.reset()
	}
	if err := c.readTime(ctx); err != nil {
		return err
	}
	if c.refused.Swap(false) {
		c.checked = ""
	}
	if c.checked != s.runID() {
		if err := c.tryCommands(ctx); err != nil {
			return err
		}
		c.checked = s.runID()
	}
	return nil
}

func (c *Conn) readTime(ctx context.Context) error {
	limited, cancel := context.WithTimeout(nested(ctx), probeTimeout)
	defer cancel()
	sent := c.clock.elapsed()
	redisTime, err := c.client.Time(limited).Result()
	if err != nil {
		return err //nolint:wrapcheck // It becomes the reason why Redis cannot be used.
	}
	c.clock.add(sent, c.clock.elapsed(), redisTime)
	return nil
}

// closeStale closes all network connections if an error is a time-out.
func (c *Conn) closeStale(err error) {
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		c.sockets.closeAll()
	}
}

// unusable returns the error of calls while Redis cannot be used.
func unusable(err error) error {
	_, isUnfit := errors.AsType[unfit](err)
	switch {
	case err == nil:
		return nil
	case isUnfit:
		return fmt.Errorf("%w: Redis %w", ErrUnavailable, err)
	case isReply(err):
		return fmt.Errorf("%w: Redis refuses a command: %w", ErrUnavailable, err)
	default:
		return fmt.Errorf("%w: Redis cannot be reached: %w", ErrUnavailable, err)
	}
}

// reason returns the part of an error whose change is logged. Errors of the network contain
// the ports of connections, which always change.
func reason(err error) string {
	_, isUnfit := errors.AsType[unfit](err)
	if isUnfit || isReply(err) {
		return err.Error()
	}
	return ""
}

// log reports a change, and a new reason.
func (c *Conn) log(ctx context.Context, last, found state, s server, changed bool) {
	switch {
	case found.err == nil && changed:
		c.options.Logger.InfoContext(ctx, "Redis can be used", slog.String("version", s.version()), slog.String("run_id", found.runID))
	case found.err != nil && (changed || found.reason != last.reason):
		c.options.Logger.ErrorContext(ctx, "Redis cannot be used", slog.String("error", found.err.Error()))
	}
}
