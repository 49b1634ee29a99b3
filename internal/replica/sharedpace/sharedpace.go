// Package sharedpace is what replicas share of the upstream account's pace (R5): turns for adds
// and poll requests, and the back-off of a refused API key. Scripts in Redis decide, by Redis'
// clock (R12). While Redis is away, each replica takes its part of the rates (R8).
//
// The scripts use the keys PREFIXpace:ACCOUNT:* and the commands DEL, HDEL, HGETALL, HMGET, HSET,
// PEXPIRE, TIME, ZADD, ZCARD, ZCOUNT, ZRANGE, ZREM, ZREMRANGEBYSCORE and ZSCORE. Each key expires.
package sharedpace

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/replica/redisconn"
	"github.com/audian/participant-gateway/internal/upstream"
)

// Options describe the account and this replica.
type Options struct {
	Conn *redisconn.Conn
	// Account names the gateway's account. It must not be derived from its credential (R10).
	Account string
	// Replica identifies this process.
	Replica string
	// Replicas returns the number of replicas last seen.
	Replicas func() int
	// PollRate is that of upstream.Options.
	PollRate float64
	Logger   *slog.Logger
}

// lifetime is that of each key after its last change: no pause of polls is longer, and the back-off
// of a refused key has one of its own.
const lifetime = 70 * time.Second

// callTimeout bounds each call of Redis.
const callTimeout = time.Second

// Pace is the part of this replica.
type Pace struct {
	options Options
	adds    *adds
	polls   *polls
	stop    context.CancelFunc
	running sync.WaitGroup
}

// New returns the pace of this replica until Close. Redis may be away.
func New(ctx context.Context, options Options) *Pace {
	if options.PollRate <= 0 {
		options.PollRate = upstream.DefaultPollRate
	}
	p := &Pace{options: options}
	p.adds, p.polls = newAdds(options), newPolls(options)
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	p.stop = stop
	p.running.Go(func() { p.adds.turns.run(running) })
	p.running.Go(func() { p.adds.confirm(running) })
	p.running.Go(func() { p.polls.turns.run(running) })
	p.running.Go(func() { p.polls.runDemand(running) })
	return p
}

// Close ends the calls of Redis. Turns that others wait for are theirs soon after.
func (p *Pace) Close() {
	p.stop()
	p.running.Wait()
}

// Shared returns what an upstream account needs. It belongs to one account.
func (p *Pace) Shared() upstream.Shared {
	return upstream.Shared{Adds: p.adds, Polls: p.polls}
}

func (o Options) key(name string) string { return o.Conn.Key("pace", o.Account, name) }

// run runs a script and returns the values of its reply.
func (o Options) run(ctx context.Context, s *redisconn.Script, keys []string, args ...any) ([]any, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	reply, err := o.Conn.Run(ctx, s, keys, args...)
	values, _ := reply.([]any)
	return values, err
}

// integer returns a number of a reply.
func integer(values []any, i int) int64 {
	if i >= len(values) {
		return 0
	}
	n, _ := values[i].(int64)
	return n
}

// micros is a duration for a script.
func micros(d time.Duration) int64 { return d.Microseconds() }

// duration is a duration of a reply.
func duration(values []any, i int) time.Duration {
	return time.Duration(integer(values, i)) * time.Microsecond
}
