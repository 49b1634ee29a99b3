package redisconn

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/audian/participant-gateway/internal/requestctx"
)

// Observer receives each call, for metrics. The call is a command or the name of a script; the outcome is
// ok, unavailable, cancelled, or error for an error reply. ctx contains the call's span.
type Observer interface {
	RedisCalled(ctx context.Context, call, outcome string, took time.Duration)
}

// hook limits, classifies and reports every call of the client.
type hook struct{ conn *Conn }

var _ redis.Hook = hook{}

// DialHook implements redis.Hook.
func (h hook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (h hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if isNested(ctx) {
			return next(ctx, cmd)
		}
		name, ok := ctx.Value(callKey{}).(string)
		if !ok {
			name = cmd.FullName()
		}
		return h.conn.call(ctx, name, func(ctx context.Context) error { return next(ctx, cmd) })
	}
}

// ProcessPipelineHook implements redis.Hook.
func (h hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if isNested(ctx) {
			return next(ctx, cmds)
		}
		sent := false
		err := h.conn.call(ctx, "pipeline", func(ctx context.Context) error {
			sent = true
			return next(ctx, cmds)
		})
		for _, cmd := range cmds {
			if sent {
				cmd.SetErr(classify(ctx, "pipeline", cmd.Err()))
			} else {
				cmd.SetErr(err)
			}
		}
		return err
	}
}

// callTimeout is the longest that a call takes: to dial, to send and to wait for the answer.
const callTimeout = 1500 * time.Millisecond

// call makes a call, unless Redis is known to be away.
func (c *Conn) call(ctx context.Context, name string, next func(context.Context) error) error {
	ctx, span := requestctx.StartSpan(ctx, "redis "+name, trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	began := time.Now()
	err := c.Err()
	if err == nil {
		limited, cancel := context.WithTimeout(nested(ctx), callTimeout)
		defer cancel()
		reply := next(limited)
		err = classify(ctx, name, reply)
		if isReply(reply) && outcome(reply) != "ok" {
			c.refused.Store(true)
		}
		if c.refused.Load() || errors.Is(err, ErrUnavailable) {
			c.probeSoon()
		}
	}
	if err != nil {
		span.SetStatus(codes.Error, outcome(err))
	}
	if c.options.Observer != nil {
		c.options.Observer.RedisCalled(ctx, name, outcome(err), time.Since(began))
	}
	return err
}

type (
	callKey   struct{}
	nestedKey struct{}
)

// withCall names the calls of a context.
func withCall(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, callKey{}, name)
}

// nested marks the calls that the client makes for another one, such as those of a new
// connection, and those of the probe: the hook passes them on.
func nested(ctx context.Context) context.Context {
	return context.WithValue(ctx, nestedKey{}, true)
}

func isNested(ctx context.Context) bool { return ctx.Value(nestedKey{}) != nil }
