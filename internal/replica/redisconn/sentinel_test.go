package redisconn_test

import (
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/replica/redisconn"
	"github.com/audian/participant-gateway/internal/replica/redistest"
)

func TestSentinelsNameTheRedis(t *testing.T) {
	primary, replica := redistest.Start(t, redistest.Options{}), redistest.Start(t, redistest.Options{})
	replica.ReplicaOf(primary)
	sentinel := redistest.StartSentinel(t, "main", primary)
	refused(t, open(t, sentinel.URL()), "is a Sentinel: its URL needs the parameter master_name")

	c := open(t, sentinel.URL()+"?master_name=main")
	if !c.Available() {
		t.Fatal(c.Err())
	}
	got, _ := subscribe(t, c, "c")
	await(t, got, "established")
	first := c.RunID()
	// The Sentinel has heard of the replica when it can take over.
	eventually(t, 20*time.Second, "the Sentinel knows the replica", func() bool {
		replicas, _ := sentinel.Do("SENTINEL", "REPLICAS", "main").([]any)
		return len(replicas) == 1
	})
	primary.Kill()
	eventually(t, 20*time.Second, "the replica is used", func() bool { return c.Available() && c.RunID() != first })
	await(t, got, "established")
	if _, err := c.Run(t.Context(), redisconn.NewScript("set", `return redis.call('SET', KEYS[1], 1)`), []string{c.Key("k")}); err != nil {
		t.Error(err)
	}
	if got := replica.Do("GET", prefix+"k"); got != "1" {
		t.Errorf("the replica has %v", got)
	}
}
