// Package redisconn is a process's one connection to the Redis that replicas share: calls that
// end soon, whether Redis can be used, Redis' clock, and subscriptions.
package redisconn

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/audian/participant-gateway/internal/redact"
	"github.com/audian/participant-gateway/internal/replica/redisurl"
)

// Options describe a connection.
type Options struct {
	// URL is in a form that package redisurl reads.
	URL redact.Secret
	// RootCAs verify the certificate of Redis; nil: the system's.
	RootCAs *x509.CertPool
	// Prefix is in front of every key and channel.
	Prefix string
	Logger *slog.Logger
	// Observer may be nil.
	Observer Observer
	// Now is the local clock; nil: time.Now.
	Now func() time.Time
}

// Conn is a connection. While Redis cannot be used every call fails at once with
// ErrUnavailable, and the connection tries again in the background.
type Conn struct {
	options Options
	client  *redis.Client
	sockets *sockets
	clock   *clock
	subs    *subscriptions
	// woken asks for a probe.
	woken chan struct{}
	// checked is the process of Redis that has all commands. It belongs to the probe.
	checked string
	// refused reports that Redis has refused a call since the commands were checked: it may be out
	// of memory, or its user may have lost a right.
	refused atomic.Bool

	stop    context.CancelFunc
	running sync.WaitGroup

	mu    sync.Mutex
	state state
}

// state is what the last probe found.
type state struct {
	err error
	// reason is err for the log.
	reason   string
	runID    string
	replicas int
	changed  chan struct{}
}

var errNoAnswer = unfit("has not answered yet")

// Open returns a connection, after the first probe. Redis may be away: the error is about the
// URL. Close ends the connection.
func Open(ctx context.Context, options Options) (*Conn, error) {
	target, err := redisurl.Parse(options.URL)
	if err != nil {
		return nil, errors.New("the URL of Redis " + err.Error())
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	options.Logger = options.Logger.With(slog.String("redis", target.String()))
	c := &Conn{
		options: options, sockets: newSockets(), clock: newClock(options.Now), woken: make(chan struct{}, 1),
		state: state{err: unusable(errNoAnswer), reason: reason(errNoAnswer), changed: make(chan struct{})},
	}
	c.client = newClient(target, options.RootCAs, c.sockets)
	c.client.AddHook(hook{c})
	c.subs = newSubscriptions(c)
	c.probe(ctx)
	running, stop := context.WithCancel(nested(context.WithoutCancel(ctx)))
	c.stop = stop
	c.running.Go(func() { c.probeUntil(running) })
	c.running.Go(func() { c.subs.run(running) })
	return c, nil
}

// Close ends the connection. Later calls fail.
func (c *Conn) Close() error {
	c.stop()
	c.sockets.closeAll()
	c.running.Wait()
	return c.client.Close() //nolint:wrapcheck // The caller names the connection.
}

// Client returns the client of go-redis, for commands and pipelines. Its errors are
// classified, and its calls limited, as those of Run.
func (c *Conn) Client() *redis.Client { return c.client }

// Key returns the name of a key or a channel.
func (c *Conn) Key(parts ...string) string { return c.options.Prefix + strings.Join(parts, ":") }

// Now returns Redis' time (R12), and the local time before Redis has answered. It has no
// monotonic reading, and may step back by the error of a measurement.
func (c *Conn) Now() time.Time { return c.clock.now() }

// Err returns why Redis cannot be used, wrapping ErrUnavailable, or nil.
func (c *Conn) Err() error { return c.current().err }

// Available reports whether Redis can be used.
func (c *Conn) Available() bool { return c.Err() == nil }

// RunID identifies the process of Redis that answered last; empty before the first answer.
func (c *Conn) RunID() string { return c.current().runID }

// Replicas returns how many replicas of Redis are connected to it.
func (c *Conn) Replicas() int { return c.current().replicas }

// Changed returns a channel that is closed when Available or RunID changes next.
func (c *Conn) Changed() <-chan struct{} { return c.current().changed }

func (c *Conn) current() state {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// set records what a probe found, and reports whether Available or RunID changed.
func (c *Conn) set(found state) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.state
	found.changed = last.changed
	changed := (found.err == nil) != (last.err == nil) || found.runID != last.runID
	if changed {
		close(last.changed)
		found.changed = make(chan struct{})
	}
	c.state = found
	return changed
}
