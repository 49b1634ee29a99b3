package redisconn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ErrUnavailable is wrapped by the error of each call that Redis did not serve: it cannot be
// reached, does not answer in time, or refuses to serve. The call may have run or not.
var ErrUnavailable = errors.New("shared state unavailable")

// refusals are the codes of error replies by which Redis says that it does not serve: at the
// moment, this client, or writes. Other replies are errors of the call.
var refusals = []string{
	"LOADING", "READONLY", "MASTERDOWN", "MISCONF", "OOM", "NOREPLICAS", "BUSY", "UNBLOCKED", "CLUSTERDOWN", "MOVED", "ASK", "TRYAGAIN",
	"NOAUTH", "WRONGPASS", "NOPERM", "DENIED",
}

// classify returns the error of a call as callers see it.
func classify(ctx context.Context, call string, err error) error {
	switch {
	case err == nil, errors.Is(err, redis.Nil), errors.Is(err, ErrUnavailable):
		return err
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("redis %s: %w", call, context.Canceled)
	case isReply(err) && !isRefusal(err):
		return err
	default:
		return fmt.Errorf("%w: redis %s: %w", ErrUnavailable, call, err)
	}
}

func isReply(err error) bool {
	_, reply := errors.AsType[redis.Error](err)
	return reply
}

func isRefusal(err error) bool {
	reply, _ := errors.AsType[redis.Error](err)
	text := strings.TrimPrefix(reply.Error(), "ERR ")
	code, _, _ := strings.Cut(text, " ")
	return slices.Contains(refusals, code) || strings.HasPrefix(text, "max number of clients reached")
}

// outcome is the label of a call's result in metrics.
func outcome(err error) string {
	switch {
	case err == nil, errors.Is(err, redis.Nil), redis.HasErrorPrefix(err, "NOSCRIPT"):
		return "ok"
	case errors.Is(err, ErrUnavailable):
		return "unavailable"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	default:
		return "error"
	}
}
