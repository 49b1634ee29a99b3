package redisconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/redis/go-redis/v9"
)

// replyError is an error reply of Redis.
type replyError string

func (e replyError) Error() string { return string(e) }
func (replyError) RedisError()     {}

func TestErrorsAreClassified(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		ctx  context.Context
		err  error
		want string
	}{
		{t.Context(), nil, "ok"},
		{t.Context(), redis.Nil, "ok"},
		{t.Context(), replyError("NOSCRIPT No matching script."), "ok"},
		{t.Context(), replyError("WRONGTYPE Operation against a key"), "error"},
		{t.Context(), replyError("ERR value is not an integer"), "error"},
		{t.Context(), replyError("READ"), "error"},
		{t.Context(), replyError("LOADING Redis is loading the dataset in memory"), "unavailable"},
		{t.Context(), replyError("READONLY You can't write against a read only replica."), "unavailable"},
		{t.Context(), replyError("OOM command not allowed when used memory > 'maxmemory'."), "unavailable"},
		{t.Context(), replyError("MISCONF Redis is configured to save RDB snapshots"), "unavailable"},
		{t.Context(), replyError("NOPERM this user has no permissions"), "unavailable"},
		{t.Context(), replyError("BUSY Redis is busy running a script."), "unavailable"},
		{t.Context(), replyError("ERR max number of clients reached"), "unavailable"},
		{t.Context(), fmt.Errorf("wrapped: %w", replyError("MASTERDOWN Link with MASTER is down")), "unavailable"},
		{t.Context(), io.EOF, "unavailable"},
		{t.Context(), context.DeadlineExceeded, "unavailable"},
		{t.Context(), redis.ErrPoolTimeout, "unavailable"},
		{t.Context(), redis.ErrClosed, "unavailable"},
		{cancelled, io.EOF, "cancelled"},
		{cancelled, context.Canceled, "cancelled"},
		{cancelled, nil, "ok"},
	} {
		got := classify(test.ctx, "get", test.err)
		if outcome(got) != test.want || (got == nil) != (test.err == nil) {
			t.Errorf("%v became %v: %s, want %s", test.err, got, outcome(got), test.want)
		}
		if unavailable := errors.Is(got, ErrUnavailable); unavailable != (test.want == "unavailable") {
			t.Errorf("%v became %v", test.err, got)
		}
	}
}
