package redisconn

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	pingInterval = time.Second
	// maxSilentPings is how many pings in a row may have no answer. After them another
	// connection is made.
	maxSilentPings = 2
)

// baseChannel is subscribed to at all times, so that a server that refuses is known early.
func (c *Conn) baseChannel() string { return c.Key("try") }

// refusal returns why Redis refuses to subscribe, or nil.
func (s *subscriptions) refusal() error {
	if refused := s.refused.Load(); refused != nil {
		return *refused
	}
	return nil
}

// run keeps a Pub/Sub connection until ctx ends.
func (s *subscriptions) run(ctx context.Context) {
	for ctx.Err() == nil {
		s.connect(ctx)
		pause := retryInterval
		if s.refusal() != nil {
			pause = probeInterval
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// connect makes a connection and serves it until it fails.
func (s *subscriptions) connect(ctx context.Context) {
	s.begin()
	p := &pubSub{subs: s, conn: s.conn.client.Subscribe(ctx), ended: make(chan struct{})}
	if p.conn.Subscribe(ctx, s.conn.baseChannel()) != nil || !p.send(ctx) {
		_ = p.conn.Close()
		return
	}
	var reader sync.WaitGroup
	reader.Go(func() { p.read(ctx) })
	p.serve(ctx)
	_ = p.conn.Close()
	reader.Wait()
}

// pubSub is one connection.
type pubSub struct {
	subs  *subscriptions
	conn  *redis.PubSub
	ended chan struct{}
	// silent counts the pings since something was received.
	silent atomic.Int32
}

// serve sends what changes, and pings, until the connection fails or ctx ends.
func (p *pubSub) serve(ctx context.Context) {
	ticker := time.NewTicker(pingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.ended:
			return
		case <-p.subs.woken:
			if !p.send(ctx) {
				return
			}
		case <-ticker.C:
			if p.silent.Add(1) > maxSilentPings || p.conn.Ping(ctx) != nil {
				return
			}
		}
	}
}

// send sends the changes, and reports whether the connection is usable.
func (p *pubSub) send(ctx context.Context) bool {
	subscribe, leave := p.subs.changes()
	if len(subscribe) > 0 && p.conn.Subscribe(ctx, subscribe...) != nil {
		return false
	}
	return len(leave) == 0 || p.conn.Unsubscribe(ctx, leave...) == nil
}

// read receives until the connection fails.
func (p *pubSub) read(ctx context.Context) {
	defer close(p.ended)
	for {
		message, err := p.conn.Receive(ctx)
		if err != nil {
			p.subs.failed(err)
			return
		}
		p.silent.Store(0)
		switch m := message.(type) {
		case *redis.Message:
			p.subs.received(m.Channel, m.Payload)
		case *redis.Subscription:
			p.subs.subscribed(m)
		}
	}
}

func (s *subscriptions) subscribed(m *redis.Subscription) {
	switch {
	case m.Kind != "subscribe":
	case m.Channel != s.conn.baseChannel():
		s.confirmed(m.Channel)
	case s.refused.Swap(nil) != nil:
		s.conn.probeSoon()
	}
}

// failed notes a refusal; any other error is one of the network.
func (s *subscriptions) failed(err error) {
	if isReply(err) {
		s.refused.Store(&err)
		s.conn.probeSoon()
	}
}
