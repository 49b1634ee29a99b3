package sharedclaims_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/redact"
	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/replica/sharedclaims"
)

const apiKey = "the-api-key"

// issuer exchanges keys, slowly.
type issuer struct{ issued atomic.Int32 }

func (i *issuer) exchange(context.Context) (string, error) {
	<-time.After(50 * time.Millisecond)
	return fmt.Sprintf("secret-token-%d", i.issued.Add(1)), nil
}

// tokens is a replica's view of the token of a key.
func (c *cluster) tokens(key redact.Secret) (*sharedclaims.Tokens, *redistest.Proxy) {
	c.t.Helper()
	proxy := redistest.NewProxy(c.t, c.redis.Addr())
	tokens, err := sharedclaims.NewTokens(c.open(proxy), key)
	if err != nil {
		c.t.Fatal(err)
	}
	return tokens, proxy
}

// get gets tokens at the same time.
func get(t *testing.T, i *issuer, refused string, replicas ...*sharedclaims.Tokens) []string {
	t.Helper()
	got := make([]string, len(replicas))
	var running sync.WaitGroup
	for n, tokens := range replicas {
		running.Go(func() {
			var err error
			if got[n], err = tokens.Token(t.Context(), refused, i.exchange); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	return got
}

func TestR10_ReplicasMakeOneExchange(t *testing.T) {
	t.Parallel()
	c, i := newCluster(t), &issuer{}
	a, _ := c.tokens(apiKey)
	b, _ := c.tokens(apiKey)
	d, _ := c.tokens(apiKey)
	refused := ""
	for n := 1; n <= 3; n++ {
		token := fmt.Sprintf("secret-token-%d", n)
		for _, got := range get(t, i, refused, a, b, d) {
			if got != token {
				t.Errorf("round %d: %s", n, got)
			}
		}
		if n := int(i.issued.Load()); fmt.Sprintf("secret-token-%d", n) != token {
			t.Errorf("exchanged %d times", n)
		}
		// A renewed token replaces it.
		refused = token
	}
}

func TestR10_NoSecretIsInRedisInTheClear(t *testing.T) {
	t.Parallel()
	c, i := newCluster(t), &issuer{}
	a, _ := c.tokens(apiKey)
	get(t, i, "", a)
	c.replica("a").add("r", alice).wait()
	text := ""
	for _, key := range c.keys("*") {
		text += key + fmt.Sprint(c.redis.Do("DUMP", key))
	}
	if !strings.Contains(text, "claim:token") {
		t.Errorf("no token in %q", text)
	}
	for _, secret := range []string{apiKey, "secret-token"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is in Redis", secret)
		}
	}
	if ttl, _ := c.redis.Do("PTTL", prefix+"claim:token").(int64); ttl <= 0 {
		t.Errorf("PTTL %d", ttl)
	}
	if n, _ := c.redis.Do("EXISTS", prefix+"claim:lock").(int64); n != 0 {
		t.Error("the lock stays")
	}
}

func TestR10_ACiphertextThatDoesNotFitIsIgnored(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(c *cluster, i *issuer, old string){
		"of another key": func(c *cluster, i *issuer, _ string) {
			other, _ := c.tokens("another-key")
			get(c.t, i, "", other)
		},
		"no ciphertext": func(c *cluster, _ *issuer, _ string) { c.redis.Do("SET", prefix+"claim:token", "x", "PX", 60000) },
		"another type": func(c *cluster, _ *issuer, _ string) {
			c.redis.Do("DEL", prefix+"claim:token")
			c.redis.Do("HSET", prefix+"claim:token", "x", "y")
		},
		"an old one": func(c *cluster, _ *issuer, old string) { c.redis.Do("SET", prefix+"claim:token", old, "PX", 60000) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, i := newCluster(t), &issuer{}
			a, _ := c.tokens(apiKey)
			first := get(t, i, "", a)[0]
			old, _ := c.redis.Do("GET", prefix+"claim:token").(string)
			second := get(t, i, first, a)[0]
			before := i.issued.Load()
			spoil(c, i, old)
			if got := get(t, i, second, a)[0]; got == first || got == second || i.issued.Load() <= before {
				t.Errorf("got %s after %s and %s", got, first, second)
			}
		})
	}
}

func TestR10_EachReplicaExchangesWithoutRedis(t *testing.T) {
	t.Parallel()
	c, i := newCluster(t), &issuer{}
	a, proxy := c.tokens(apiKey)
	proxy.Cut()
	if got := get(t, i, "", a)[0]; got != "secret-token-1" {
		t.Errorf("got %s", got)
	}
}

// A replica that fails, or dies in an exchange, does not hold up the others.
func TestR10_AnExchangeThatFailsIsLeftToTheNext(t *testing.T) {
	t.Parallel()
	c, i := newCluster(t), &issuer{}
	a, _ := c.tokens(apiKey)
	b, _ := c.tokens(apiKey)
	failure := errors.New("refused")
	if _, err := a.Token(t.Context(), "", func(context.Context) (string, error) { return "", failure }); !errors.Is(err, failure) {
		t.Errorf("error %v", err)
	}
	began := time.Now()
	if got := get(t, i, "", b)[0]; got != "secret-token-1" || time.Since(began) > 5*time.Second {
		t.Errorf("got %s after %s", got, time.Since(began))
	}
	c.redis.Do("SET", prefix+"claim:lock", "another", "PX", 300)
	if got := get(t, i, "secret-token-1", b)[0]; got != "secret-token-2" {
		t.Errorf("got %s", got)
	}
	c.redis.Do("SET", prefix+"claim:lock", "another", "PX", 60000)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := b.Token(ctx, "secret-token-2", i.exchange); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}
