package sharedpace_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/replica/sharedpace"
)

// keys are exchanges of one key by all replicas.
type keys struct {
	mu       sync.Mutex
	tried    []time.Time
	accepted bool
}

func (k *keys) exchange(context.Context) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tried = append(k.tried, time.Now())
	if k.accepted {
		return "token", nil
	}
	return "", &apierror.Error{Reason: apierror.CredentialRefused, NotSent: true}
}

// seconds are the times of the exchanges from the first, rounded.
func (k *keys) seconds() (seconds []int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, at := range k.tried {
		seconds = append(seconds, int(at.Sub(k.tried[0]).Round(time.Second)/time.Second))
	}
	return seconds
}

// tryFor tries the key on each replica, every 20 ms.
func (c *cluster) tryFor(t *testing.T, k *keys, duration time.Duration) (tokens int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), duration)
	defer cancel()
	var mu sync.Mutex
	var running sync.WaitGroup
	for _, r := range c.replicas {
		tokensOf := r.pace.Tokens(nil)
		running.Go(func() {
			for ctx.Err() == nil {
				_, err := tokensOf.Token(t.Context(), "", k.exchange)
				refusal, refused := errors.AsType[*apierror.Error](err)
				mu.Lock()
				if err == nil {
					tokens++
				} else if !refused || refusal.Reason != apierror.CredentialRefused || !refusal.NotSent || refusal.RetryAfter <= 0 {
					t.Errorf("got %v", err)
				}
				mu.Unlock()
				elapse(20 * time.Millisecond)
			}
		})
	}
	running.Wait()
	return tokens
}

func TestR05_TheBackoffOfARefusedKeyIsShared(t *testing.T) {
	t.Parallel()
	c := start(t, 3, 0)
	var k keys
	_, _ = c.replicas[0].pace.Tokens(nil).Token(t.Context(), "", k.exchange)
	c.tryFor(t, &k, 4*time.Second)
	if got := k.seconds(); !slices.Equal(got, []int{0, 1, 3}) {
		t.Errorf("exchanges after %v", got)
	}
	k.accepted = true
	if tokens := c.tryFor(t, &k, 4*time.Second); tokens == 0 {
		t.Error("no token")
	}
	if got := k.seconds(); len(got) < 5 || got[3] != 7 || got[4] != 7 {
		t.Errorf("exchanges after %v", got[:min(len(got), 6)])
	}
}

func TestR05_AnExchangeThatFailsOtherwiseIsTriedAtOnce(t *testing.T) {
	t.Parallel()
	c := start(t, 2, 0)
	var k keys
	_, _ = c.replicas[0].pace.Tokens(nil).Token(t.Context(), "", k.exchange)
	elapse(time.Second) // After the back-off one replica tries at a time.
	for _, r := range c.replicas {
		for range 3 {
			asked := false
			_, err := r.pace.Tokens(nil).Token(t.Context(), "", func(context.Context) (string, error) {
				asked = true
				return "", &apierror.Error{Reason: apierror.UpstreamUnavailable, NotSent: true}
			})
			if apierror.ReasonOf(err) != apierror.UpstreamUnavailable || !asked {
				t.Errorf("asked %v, got %v", asked, err)
			}
		}
	}
}

// inner returns tokens of another process.
type inner struct{}

func (inner) Token(context.Context, string, func(context.Context) (string, error)) (string, error) {
	return "of another process", nil
}

func TestR05_ATokenOfAnotherProcessNeedsNoExchange(t *testing.T) {
	t.Parallel()
	c := start(t, 1, 0)
	var k keys
	_, _ = c.replicas[0].pace.Tokens(nil).Token(t.Context(), "", k.exchange)
	var next sharedpace.Tokens = inner{}
	if token, err := c.replicas[0].pace.Tokens(next).Token(t.Context(), "", k.exchange); token != "of another process" || err != nil {
		t.Errorf("got %q, %v", token, err)
	}
	// While Redis is away, each replica tries by itself.
	c.redis.Kill()
	within(t, 2*time.Second, "Redis is away", func() bool { return !c.replicas[0].conn.Available() })
	_, _ = c.replicas[0].pace.Tokens(nil).Token(t.Context(), "", k.exchange)
	if len(k.tried) != 2 {
		t.Errorf("%d exchanges", len(k.tried))
	}
}
