package replicas_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access/keys"
	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/test/watchclient"
)

// withinOneDay waits for the next UTC day if this one ends soon: a test counts adds of one day.
func withinOneDay() {
	now := time.Now().UTC()
	if rest := now.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(now); rest < 2*time.Minute {
		<-time.After(rest)
	}
}

// callers returns the flags of a cluster with two callers, one of whom has a limit of adds per day.
func callers(t *testing.T, limit int) (flags []string, limited, unlimited string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keys")
	add := func(name string, limit *int) string {
		entry, err := keys.NewEntry(name, "writer", nil)
		if err != nil {
			t.Fatal(err)
		}
		if entry, err = entry.WithCalling(nil, limit); err != nil {
			t.Fatal(err)
		}
		key, err := keys.Add(file, entry)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	limited, unlimited = add("desk", &limit), add("sales", nil)
	flags = []string{"--auth=keys", "--auth-keys-file=" + file, "--poll-interval=500ms", "--max-poll-interval=500ms"}
	return flags, limited, unlimited
}

// addAs adds the n-th number with a key.
func (r *replica) addAs(key, conference string, n int, requestID string) (reason, dialled string, code codes.Code) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	_, err := r.GRPC.AddParticipant(metadata.AppendToOutgoingContext(ctx, "x-auth-token", key), &v2.AddParticipantRequest{
		ConferenceId: conference, PhoneNumber: phone(n), RequestId: requestID,
	})
	reason, dialled = watchclient.InfoOf(err)
	return reason, dialled, status.Code(err)
}

// TestA14_OneCountForAllReplicas adds at all replicas at once, with and without request ids, each of
// which comes twice, and then goes on at another process.
func TestA14_OneCountForAllReplicas(t *testing.T) {
	t.Parallel()
	withinOneDay()
	const conference, limit = "conf_counted", 8
	flags, limited, unlimited := callers(t, limit)
	c := start(t, 3, options{simulator: still, flags: flags})
	c.upstream.join(conference, 900)
	var adding sync.WaitGroup
	for n := range 24 {
		requestID := ""
		if n%2 == 0 {
			requestID = phone(n)
		}
		for _, r := range []*replica{c.replicas[n%3], c.replicas[(n+1)%3]} {
			if requestID == "" && r != c.replicas[n%3] {
				continue
			}
			adding.Go(func() {
				reason, dialled, code := r.addAs(limited, conference, n, requestID)
				if code != codes.OK && (code != codes.ResourceExhausted || reason != "DAILY_LIMIT" || dialled != "no") {
					t.Errorf("add %d: %v %s, dialled %q", n, code, reason, dialled)
				}
			})
		}
	}
	adding.Wait()
	if dials := len(c.upstream.Dials()); dials != limit {
		t.Errorf("%d phones rang, want %d", dials, limit)
	}
	c.replicas[0].kill()
	c.replicas[0].restart()
	for _, r := range c.replicas {
		if reason, _, _ := r.addAs(limited, conference, 50, ""); reason != "DAILY_LIMIT" {
			t.Errorf("replica %d after the restart of another: %q", r.number, reason)
		}
	}
	if _, _, code := c.replicas[1].addAs(unlimited, conference, 51, ""); code != codes.OK {
		t.Errorf("another caller: %v", code)
	}
}

// TestA14_WhileRedisIsAwayLimitedKeysAreRefused cuts the replicas off.
func TestA14_WhileRedisIsAwayLimitedKeysAreRefused(t *testing.T) {
	t.Parallel()
	withinOneDay()
	const conference, limit = "conf_uncounted", 2
	flags, limited, unlimited := callers(t, limit)
	for name, test := range map[string]struct {
		leave, back func(*cluster)
		// answers is true if Redis still answers: it may say that nobody sends the add.
		answers bool
	}{
		"cut": {
			leave: func(c *cluster) { c.replicas[0].network.Cut() }, back: func(c *cluster) { c.replicas[0].network.Restore() },
		},
		"paused": {leave: func(c *cluster) { c.redis.Pause() }, back: func(c *cluster) { c.redis.Continue() }},
		"out of memory": {
			leave: func(c *cluster) { c.redis.Do("CONFIG", "SET", "maxmemory", 1) },
			back:  func(c *cluster) { c.redis.Do("CONFIG", "SET", "maxmemory", 0) }, answers: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t, 2, options{simulator: still, flags: flags, redis: redistest.Options{}})
			c.upstream.join(conference, 900)
			r := c.replicas[0]
			if _, _, code := r.addAs(limited, conference, 1, ""); code != codes.OK {
				t.Fatalf("the first add: %v", code)
			}
			test.leave(c)
			for range 3 {
				if reason, dialled, code := r.addAs(limited, conference, 2, ""); code != codes.Unavailable || reason != away || dialled != "no" {
					t.Errorf("a limited key: %v %s, dialled %q", code, reason, dialled)
				}
				// As for each caller: another replica may have sent it.
				if reason, dialled, code := r.addAs(limited, conference, 3, "id"); code != codes.Unavailable || reason != away || dialled != "unknown" && !test.answers {
					t.Errorf("a limited key with a request id: %v %s, dialled %q", code, reason, dialled)
				}
			}
			if _, _, code := r.addAs(unlimited, conference, 4, ""); code != codes.OK {
				t.Errorf("a key without a limit: %v", code)
			}
			if dials := len(c.upstream.Dials()); dials != 2 {
				t.Errorf("%d phones rang", dials)
			}
			test.back(c)
			eventually(t, "the limited key may dial again", func() bool {
				_, _, code := r.addAs(limited, conference, 5, "id-2")
				return code == codes.OK
			})
			if reason, _, _ := r.addAs(limited, conference, 6, ""); reason != "DAILY_LIMIT" {
				t.Errorf("the count was not kept: %q", reason)
			}
		})
	}
}
