package redisconn_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/audian/participant-gateway/internal/redact"
	"github.com/audian/participant-gateway/internal/replica/redisconn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// prefix is that of the tests' keys.
const prefix = "t:"

// open opens a connection that ends with the test.
func open(t *testing.T, url string, change ...func(*redisconn.Options)) *redisconn.Conn {
	t.Helper()
	options := redisconn.Options{URL: redact.Secret(url), Prefix: prefix, Logger: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&options)
	}
	c, err := redisconn.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

// eventually waits for a condition, which must hold within a limit.
func eventually(t *testing.T, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline.C:
			t.Fatalf("not within %s: %s", limit, what)
		case <-tick.C:
		}
	}
}

// long is a limit for what has no promised one.
const long = 10 * time.Second

// buffer is a log that several goroutines may write.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// calls counts the observed calls.
type calls struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *calls) RedisCalled(_ context.Context, call, outcome string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if took < 0 {
		outcome = "negative time"
	}
	c.counts[call+" "+outcome]++
}

func (c *calls) count(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[name]
}
