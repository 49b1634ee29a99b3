package sharedclaims_test

import (
	"testing"
	"time"
)

func TestR07_TheLastAddIsKnownToAllReplicas(t *testing.T) {
	t.Parallel()
	for name, requestID := range map[string]string{"with a request id": "r", "without": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			a, b := c.replica("a"), c.replica("b")
			if at := b.store.LastAdd(t.Context(), "conf_1"); !at.IsZero() {
				t.Errorf("before any: %s", at)
			}
			began := time.Now()
			want(t, a.add(requestID, alice).wait().err, "", "")
			at := b.store.LastAdd(t.Context(), "conf_1")
			if at.Before(began.Add(-50*time.Millisecond)) || at.After(time.Now().Add(50*time.Millisecond)) {
				t.Errorf("last add at %s, want about %s", at, began)
			}
			if ttl, _ := c.redis.Do("PTTL", c.keys("claim:lastadd:*")[0]).(int64); ttl <= 0 || ttl > 10_000 {
				t.Errorf("PTTL %d", ttl)
			}
			if at := b.store.LastAdd(t.Context(), "conf_2"); !at.IsZero() {
				t.Errorf("of another conference: %s", at)
			}
			b.proxy.Cut()
			if at := b.store.LastAdd(t.Context(), "conf_1"); !at.IsZero() {
				t.Errorf("while Redis is away: %s", at)
			}
		})
	}
}
