package sharedclaims_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

// keys are the keys of the product that match.
func (c *cluster) keys(pattern string) (keys []string) {
	found, _ := c.redis.Do("KEYS", prefix+pattern).([]any)
	for _, key := range found {
		if name, _ := key.(string); name != prefix+"try" {
			keys = append(keys, name)
		}
	}
	return keys
}

// number is the number after a text, 0 if there is none.
func number(text, before string) int {
	_, rest, _ := strings.Cut(text, before)
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	n, _ := strconv.Atoi(rest[:max(end, 0)])
	return n
}

func TestR11_AClaimThatCannotBeReadIsNeverSent(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(c *cluster, key string){
		"another type":       func(c *cluster, key string) { c.redis.Do("DEL", key); c.redis.Do("SET", key, "x", "PX", 60000) },
		"another state":      func(c *cluster, key string) { c.redis.Do("HSET", key, "state", "later") },
		"another outcome":    func(c *cluster, key string) { c.redis.Do("HSET", key, "outcome", "<xml>") },
		"an outcome without": func(c *cluster, key string) { c.redis.Do("HSET", key, "outcome", "{}") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			a, b := c.replica("a"), c.replica("b")
			want(t, a.add("r", alice).wait().err, "", "")
			keys := c.keys("claim:id:*")
			spoil(c, keys[0])
			got := b.add("r", alice).wait()
			want(t, got.err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
			if !got.added.Replayed || c.upstream.sendings() != 1 {
				t.Errorf("replayed %v, sent %d times", got.added.Replayed, c.upstream.sendings())
			}
		})
	}
	t.Run("unknown fields", func(t *testing.T) {
		t.Parallel()
		c := newCluster(t)
		a, b := c.replica("a"), c.replica("b")
		want(t, a.add("r", alice).wait().err, "", "")
		key := c.keys("claim:id:*")[0]
		c.redis.Do("HSET", key, "later", "x", "outcome", `{"participant":{"id":"part_1","fields":0,"later":1},"later":{}}`)
		got := b.add("r", alice).wait()
		want(t, got.err, "", "")
		if got.added.Participant.ID != "part_1" {
			t.Errorf("answered %+v", got.added)
		}
	})
}

func TestR09_EveryKeyExpires(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a := c.replica("a")
	answer := make(chan struct{})
	c.upstream.script(step{}, step{silent: true, fails: &apierror.Error{Reason: apierror.CredentialRefused}}, step{sends: answer})
	want(t, a.add("r", alice).wait().err, "", "")
	a.add("refused", alice).wait()
	a.add("", alice)
	eventually(t, "sent", func() bool { return c.upstream.sendings() == 3 })
	keys := c.keys("*")
	if len(keys) < 5 {
		t.Errorf("only %q", keys)
	}
	for _, key := range keys {
		if ttl, _ := c.redis.Do("PTTL", key).(int64); ttl <= 0 || ttl > (10*time.Minute).Milliseconds() {
			t.Errorf("%s: PTTL %d", key, ttl)
		}
	}
	close(answer)
}
