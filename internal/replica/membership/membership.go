// Package membership knows which replicas are alive.
package membership

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/replica/redisconn"
)

// Options describe this replica.
type Options struct {
	Conn   *redisconn.Conn
	Logger *slog.Logger
}

// Members are the replicas. While Redis is unavailable they are those last seen.
type Members struct {
	options Options
	id      string
	logger  *slog.Logger
	stop    context.CancelFunc
	running sync.WaitGroup

	mu sync.Mutex
	// alive has the ids of the replicas, this one included after its first heartbeat.
	alive map[string]bool
	// keepUntil is when replicas that Redis does not know are removed.
	keepUntil time.Time
}

const (
	// interval is the time between two heartbeats, and deadAfter the silence after which a
	// replica is not alive. Together they are less than the 3 s within which its end is known.
	interval  = 500 * time.Millisecond
	deadAfter = 2 * time.Second
	// lifetime is that of the keys after the last heartbeat of all replicas.
	lifetime = time.Minute
)

// Join makes this process a replica, after its first heartbeat. Redis may be away.
func Join(ctx context.Context, options Options) *Members {
	id := rand.Text()
	m := &Members{
		options: options, id: id, logger: options.Logger.With(slog.String("replica_id", id)), alive: map[string]bool{},
	}
	m.beat(ctx)
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	m.stop = stop
	m.running.Go(func() { m.run(running) })
	return m
}

// Leave ends the membership: the other replicas know it with their next heartbeat (R4).
func (m *Members) Leave(ctx context.Context) error {
	m.stop()
	m.running.Wait()
	if _, err := m.options.Conn.Run(ctx, leave, m.keys(), m.id); err != nil {
		return fmt.Errorf("leave the replicas: %w", err)
	}
	return nil
}

// ID identifies this process among the replicas. Each process has another.
func (m *Members) ID() string { return m.id }

// Count returns how many replicas are alive, this one included.
func (m *Members) Count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(len(m.alive), 1)
}

// Alive reports whether a replica is alive.
func (m *Members) Alive(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.alive[id] || id == m.id
}

func (m *Members) keys() []string { return []string{m.options.Conn.Key("replicas")} }

func (m *Members) run(ctx context.Context) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		changed := m.options.Conn.Changed()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-changed:
		}
		m.beat(ctx)
	}
}

// beat sends a heartbeat and learns of the other replicas. The connection logs that Redis is unavailable.
func (m *Members) beat(ctx context.Context) {
	reply, err := m.options.Conn.Run(ctx, beat, m.keys(), m.id, deadAfter.Milliseconds(), lifetime.Milliseconds())
	values, _ := reply.([]any)
	if err != nil || len(values) == 0 {
		return
	}
	before, after := m.update(values[0] == int64(1), alive(values[1:]), time.Now())
	if before != after {
		m.logger.InfoContext(ctx, "the number of replicas has changed", slog.Int("alive", after))
	}
}

// alive returns the ids of the replicas in the script's reply.
func alive(values []any) map[string]bool {
	ids := map[string]bool{}
	for _, value := range values {
		id, _ := value.(string)
		ids[id] = true
	}
	return ids
}

// update replaces what is known. If Redis did not know this replica any more, it has lost its
// data: then the others stay until each should have sent a heartbeat.
func (m *Members) update(added bool, alive map[string]bool, now time.Time) (before, after int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before = len(m.alive)
	if added && before > 0 {
		m.keepUntil = now.Add(deadAfter)
	}
	if now.Before(m.keepUntil) {
		maps.Copy(m.alive, alive)
	} else {
		m.alive = alive
	}
	return before, len(m.alive)
}
