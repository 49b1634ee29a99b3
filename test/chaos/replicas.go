package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/simulator"
)

// effect is what an experiment does.
type effect func(ctx context.Context, w *harness, rng *rand.Rand) error

// replicaExperiments are those on gateways that share a Redis.
func replicaExperiments() []experiment {
	return slices.Concat(replicaFaults(), redisFaults(), []experiment{
		{"many adds at once", burst},
		{"many adds while a replica is cut off", burstWhileCut},
		{"network to the upstream delays", whileUpstream(network(func(c *rand.Rand) networkFault {
			return networkFault{delay: time.Duration(50+c.IntN(400)) * time.Millisecond}
		}, "proxy delayed"), upstreamBad, upstreamSlow)},
		{"network to the upstream cuts", whileUpstream(network(func(*rand.Rand) networkFault {
			return networkFault{cut: true}
		}, "proxy cut"), upstreamBad, upstreamSlow)},
		{"upstream: status", whileUpstream(injectFaults(simulator.FaultStatus), upstreamBad)},
		{"upstream: lost", whileUpstream(injectFaults(simulator.FaultLost), upstreamBad)},
		{"upstream: reset", whileUpstream(injectFaults(simulator.FaultReset), upstreamBad)},
		{"upstream: late", whileUpstream(injectFaults(simulator.FaultLate), upstreamBad)},
	})
}

func replicaFaults() []experiment {
	return []experiment{
		{"replica killed", onReplica(killReplica)},
		{"replica drained", onReplica(drainReplica)},
		{"replica stopped", onReplica(stopReplica)},
		{"replica killed while adds are under way", onReplica(failWithAdds(killReplica))},
		{"replica stopped while adds are under way", onReplica(failWithAdds(stopReplica))},
		{"replica cut off while adds are under way", onReplica(failWithAdds(disturb((*redistest.Proxy).Cut)))},
		{"replica cut off from Redis", onReplica(disturb((*redistest.Proxy).Cut))},
		{"replica gets no answers of Redis", onReplica(disturb((*redistest.Proxy).Stall))},
		{"replica has a slow Redis", onReplica(disturb(func(p *redistest.Proxy) { p.Delay(100 * time.Millisecond) }))},
		{"replicas replaced one after the other", rollingUpdate},
		{"all replicas killed", onAll(killReplica)},
		{"all replicas cut off from Redis", onAll(disturb((*redistest.Proxy).Cut))},
	}
}

func redisFaults() []experiment {
	return []experiment{
		{"Redis stopped", redis(func(ctx context.Context, s *redistest.Server, rng *rand.Rand) {
			s.Pause()
			pause(ctx, seconds(rng, 1, 7))
			s.Continue()
		}, allReplicas)},
		{"Redis restarted with its data", redis(func(_ context.Context, s *redistest.Server, _ *rand.Rand) { s.Restart(true) }, dataLost)},
		{"Redis replaced by an empty one", redis(func(ctx context.Context, s *redistest.Server, rng *rand.Rand) {
			s.Kill()
			pause(ctx, seconds(rng, 0, 5))
			s.Erase()
			s.Run()
		}, dataLost)},
		{"Redis flushed", redis(func(_ context.Context, s *redistest.Server, _ *rand.Rand) {
			s.Flush() //nolint:contextcheck // redistest bounds it.
		}, dataLost, claimsLost)},
		{"Redis fails over to its replica", failOver},
	}
}

// seconds draws a duration.
func seconds(rng *rand.Rand, from, to int) time.Duration {
	return time.Duration(from*1000+rng.IntN(1000*(to-from))) * time.Millisecond
}

type replicaFault func(ctx context.Context, w *harness, r *replica, rng *rand.Rand) error

// onReplica applies a fault to one replica.
func onReplica(do replicaFault) effect {
	return func(ctx context.Context, w *harness, rng *rand.Rand) error {
		over := w.cluster.begin(oneReplica)
		defer over()
		return do(ctx, w, w.cluster.replicas[rng.IntN(len(w.cluster.replicas))], rng)
	}
}

// onAll applies a fault to all replicas at once.
func onAll(do replicaFault) effect {
	return func(ctx context.Context, w *harness, rng *rand.Rand) error {
		over := w.cluster.begin(allReplicas)
		defer over()
		failed := make(chan error, len(w.cluster.replicas))
		for _, r := range w.cluster.replicas {
			own := rand.New(rand.NewPCG(rng.Uint64(), 0))
			go func() { failed <- do(ctx, w, r, own) }()
		}
		for range w.cluster.replicas {
			if err := <-failed; err != nil {
				return err
			}
		}
		return nil
	}
}

// redisBack is how long replicas have to write their claims again before the next fault (R6).
const redisBack = 2500 * time.Millisecond

// redis applies a fault to Redis.
func redis(do func(context.Context, *redistest.Server, *rand.Rand), kinds ...disturbance) effect {
	return func(ctx context.Context, w *harness, rng *rand.Rand) (err error) {
		defer func() { err = failure(recover(), err) }()
		over := w.cluster.begin(kinds...)
		defer over()
		do(ctx, w.cluster.redis, rng)
		w.results.fault("Redis")
		pause(ctx, redisBack)
		return nil
	}
}

// failOver starts a replica of Redis, which takes over while adds are under way.
func failOver(ctx context.Context, w *harness, rng *rand.Rand) (err error) {
	defer func() { err = failure(recover(), err) }()
	c, copied := w.cluster, w.cluster.startRedis()
	copied.ReplicaOf(c.redis) //nolint:contextcheck // A command of a test server has a time limit of its own.
	pause(ctx, 2*time.Second) // The gateways notice it.
	over := c.begin(dataLost)
	defer over()
	wait := w.startAdds(ctx, 12, repeated, rng)
	c.redis.Kill()
	copied.Promote() //nolint:contextcheck // As above.
	for _, r := range c.replicas {
		r.network.Retarget(copied.Addr())
	}
	c.redis = copied
	w.results.fault("Redis")
	wait()
	pause(ctx, redisBack)
	return nil
}

// whileUpstream marks the time of an experiment on the upstream.
func whileUpstream(do effect, kinds ...disturbance) effect {
	return func(ctx context.Context, w *harness, rng *rand.Rand) error {
		over := w.cluster.begin(kinds...)
		defer over()
		return do(ctx, w, rng)
	}
}

func killReplica(ctx context.Context, w *harness, r *replica, rng *rand.Rand) error {
	w.results.fault("replica killed")
	r.gateway.Load().kill()
	pause(ctx, seconds(rng, 0, 5))
	return w.launchReplica(ctx, r)
}

func drainReplica(ctx context.Context, w *harness, r *replica, _ *rand.Rand) error {
	w.results.fault("replica drained")
	g := r.gateway.Load()
	w.checkDrain(g, g.terminate())
	return w.launchReplica(ctx, r)
}

func stopReplica(ctx context.Context, w *harness, r *replica, rng *rand.Rand) error {
	w.results.fault("replica stopped")
	r.gateway.Load().freeze(ctx, seconds(rng, 1, 6))
	return nil
}

// rollingUpdate replaces all replicas, as a deployment does.
func rollingUpdate(ctx context.Context, w *harness, rng *rand.Rand) error {
	over := w.cluster.begin(oneReplica)
	defer over()
	for _, r := range w.cluster.replicas {
		if err := drainReplica(ctx, w, r, rng); err != nil {
			return err
		}
	}
	return nil
}

// disturb disturbs the network to Redis for some seconds.
func disturb(fault func(*redistest.Proxy)) replicaFault {
	return func(ctx context.Context, w *harness, r *replica, rng *rand.Rand) error {
		w.results.fault("replica's network to Redis")
		fault(r.network)
		defer r.network.Restore()
		pause(ctx, seconds(rng, 1, 7))
		return nil
	}
}

// burstWhileCut adds while Redis does not know of one replica's adds (R8).
func burstWhileCut(ctx context.Context, w *harness, rng *rand.Rand) error {
	over := w.cluster.begin(oneReplica)
	defer over()
	r := w.cluster.replicas[rng.IntN(len(w.cluster.replicas))]
	w.results.fault("replica's network to Redis")
	r.network.Cut()
	defer r.network.Restore()
	return burst(ctx, w, rng)
}
