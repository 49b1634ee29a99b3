package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// recoveredWithin is how long after all faults every replica and stream may take to be well.
const recoveredWithin = 20 * time.Second

// auditCluster checks, while no fault is active, that every replica has recovered, what Redis
// keeps, and how often replicas took over.
func (w *harness) auditCluster(ctx context.Context) {
	var sick []string
	if !eventually(ctx, recoveredWithin, func() bool { sick = w.sick(ctx); return len(sick) == 0 }) && ctx.Err() == nil {
		for _, what := range sick {
			w.results.violatef(notRecovered, "%s", what)
		}
	}
	if err := w.countTakeovers(ctx); err != nil {
		w.results.violatef(failedExperiments, "takeovers: %v", err)
	}
	if err := w.searchRedis(ctx); err != nil && ctx.Err() == nil {
		w.results.violatef(failedExperiments, "search Redis: %v", err)
	}
}

// sick describes what has not recovered.
func (w *harness) sick(ctx context.Context) (found []string) {
	for _, g := range w.cluster.gateways() {
		code, _, err := g.admin(ctx, "/readyz")
		if code != http.StatusOK {
			found = append(found, fmt.Sprintf("process %d: /readyz %d, %v", g.generation, code, err))
		}
		if available, err := g.metric(ctx, "gateway_redis_available"); available != 1 {
			found = append(found, fmt.Sprintf("process %d: Redis cannot be used, %v", g.generation, err))
		}
	}
	for _, watcher := range w.watchers {
		if !isFresh(watcher) {
			found = append(found, fmt.Sprintf("%s is not FRESH: %v", watcher.name(), watcher.history()))
		}
	}
	return found
}

// countTakeovers adds what each process counted since the last time.
func (w *harness) countTakeovers(ctx context.Context) error {
	for _, g := range w.cluster.gateways() {
		n, err := g.metric(ctx, "gateway_takeovers_total")
		if err != nil {
			return err
		}
		w.results.check("takeovers", n-w.cluster.takeovers[g.generation])
		w.cluster.takeovers[g.generation] = n
	}
	return nil
}

// searchRedis looks at each key: its time to live (R9), and that it has no secret (R10).
func (w *harness) searchRedis(ctx context.Context) error {
	client, keys := w.cluster.redis.Client(), 0
	all := client.Scan(ctx, 0, "*", 1000).Iterator()
	for ; all.Next(ctx); keys++ {
		key := all.Val()
		life, err := client.PTTL(ctx, key).Result()
		if err != nil {
			return fmt.Errorf("life of %s: %w", key, err)
		}
		if life == -1 {
			w.results.violatef(keysForever, "%s", key)
		}
		dump, err := client.Dump(ctx, key).Bytes()
		if err != nil && life > time.Second {
			return fmt.Errorf("dump %s: %w", key, err)
		}
		for _, hidden := range []string{secret, redisPassword} {
			if bytes.Contains(dump, []byte(hidden)) || strings.Contains(key, hidden) {
				w.results.violatef(secretsInRedis, "%s", key)
			}
		}
	}
	w.results.check("keys of Redis read", keys)
	return all.Err()
}

// auditReplicas checks the whole run at its end.
func (w *harness) auditReplicas() {
	w.checkPolls()
	w.checkAddRate()
	if w.settings.only == "" && w.results.checkCount("takeovers") == 0 {
		w.results.violatef(failedExperiments, "no replica took over")
	}
}
