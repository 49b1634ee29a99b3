package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/audian/participant-gateway/internal/replica/redistest"
)

// cluster are the gateways that share a Redis.
type cluster struct {
	disturbances

	redis    *redistest.Server
	replicas []*replica
	machine  *machine
	// takeovers are those that each process counted, by its generation.
	takeovers map[int]int
}

// replica is a place for a process, with a network of its own to Redis.
type replica struct {
	gateway atomic.Pointer[gateway]
	network *redistest.Proxy
}

// clusterPolls is the poll interval of replicas: always the same, so that polls can be counted.
const clusterPolls = 300 * time.Millisecond

// redisPassword is the password of Redis, which no log may have.
const redisPassword = "chaos-redis-password-51d0"

// openCluster starts Redis and the replicas.
func (w *harness) openCluster(ctx context.Context) (err error) {
	c := &cluster{machine: &machine{}, takeovers: map[int]int{}}
	w.cluster = c
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	defer func() { err = failure(recover(), err) }()
	c.redis = c.startRedis()
	for range w.settings.replicas {
		r := &replica{network: redistest.NewProxy(c.machine, c.redis.Addr())}
		if err := w.launchReplica(ctx, r); err != nil {
			return err
		}
		c.replicas = append(c.replicas, r)
	}
	w.openQuiet()
	return nil
}

func (c *cluster) startRedis() *redistest.Server {
	return redistest.Start(c.machine, redistest.Options{
		AppendOnly: true, Password: redisPassword, Config: []string{"rdbcompression no"}, // DUMP returns texts as they are.
	})
}

// launchReplica starts another process for a replica.
func (w *harness) launchReplica(ctx context.Context, r *replica) error {
	g, err := w.launch(ctx, "http://"+w.network.addr(), launchOptions{
		flags: []string{
			"--poll-interval", clusterPolls.String(), "--max-poll-interval", clusterPolls.String(), "--poll-rate", "100",
			"--redis-url", w.cluster.redis.URLAt(r.network.Addr()),
		},
		env: []string{"AUDIAN_AUTH_TOKEN=" + secret},
	})
	if err == nil {
		r.gateway.Store(g)
	}
	return err
}

// pick returns a gateway that does not end, if there is one.
func (c *cluster) pick() *gateway {
	var g *gateway
	for _, n := range rand.Perm(len(c.replicas)) {
		if g = c.replicas[n].gateway.Load(); !g.ending.Load() {
			break
		}
	}
	return g
}

// pickTwo returns those of two replicas.
func (c *cluster) pickTwo() []*gateway {
	all := c.gateways()
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:2]
}

func (c *cluster) gateways() (all []*gateway) {
	for _, r := range c.replicas {
		all = append(all, r.gateway.Load())
	}
	return all
}

// restore ends all faults of the networks.
func (c *cluster) restore() {
	for _, r := range c.replicas {
		r.network.Restore()
	}
}

func (c *cluster) close() { c.machine.close() }

// lossSettles is how long after a loss a client may still get messages of the log before it.
const lossSettles = 20 * time.Second

// expires reports whether a message is the one snapshot that follows a loss of Redis (R8).
func (w *watcher) expires(m message) bool {
	c := w.harness.cluster
	if c == nil || m.Snapshot == nil || m.Snapshot.Reason != "resume_expired" || !c.any(w.at, time.Now(), lossSettles, dataLost) {
		return false
	}
	w.expired++
	w.harness.results.stream("snapshots after a loss of Redis")
	if losses := c.count(time.Time{}, time.Now(), 0, dataLost); w.expired > losses {
		w.harness.results.violatef(changesLost, "%s: snapshot %d after %d losses of Redis", w.name(), w.expired, losses)
	}
	return true
}

// admin reads a page of the admin port.
func (g *gateway) admin(ctx context.Context, path string) (code int, text string, err error) {
	return g.request(ctx, http.MethodGet, "http://"+g.adminAddr+path, "")
}

// metric returns the value of a metric without labels.
func (g *gateway) metric(ctx context.Context, name string) (int, error) {
	_, page, err := g.admin(ctx, "/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(page) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), name+" "); found {
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return 0, fmt.Errorf("%s: %w", name, err)
			}
			return int(n), nil
		}
	}
	return 0, fmt.Errorf("no metric %s", name)
}
