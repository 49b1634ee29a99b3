// Package membership knows which replicas are alive, and how many leases each holds.
package membership

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/replica/redisconn"
)

// Options describe this replica.
type Options struct {
	Conn *redisconn.Conn
	// Leases returns how many leases this process holds.
	Leases func() int
	Logger *slog.Logger
}

// Members are the replicas. While Redis is away they are those last seen.
type Members struct {
	options Options
	id      string
	logger  *slog.Logger
	stop    context.CancelFunc
	running sync.WaitGroup

	mu sync.Mutex
	// leases has the number of leases of each replica, this one included after its first
	// heartbeat.
	leases map[string]int
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
		options: options, id: id, logger: options.Logger.With(slog.String("replica_id", id)), leases: map[string]int{},
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
	return max(len(m.leases), 1)
}

// Alive reports whether a replica is alive.
func (m *Members) Alive(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, alive := m.leases[id]
	return alive || id == m.id
}

// FewestLeases returns how many leases the other replica with the fewest holds, and whether
// there is another.
func (m *Members) FewestLeases() (fewest int, others bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, leases := range m.leases {
		if id != m.id && (!others || leases < fewest) {
			fewest, others = leases, true
		}
	}
	return fewest, others
}

// LeasesKey is the key of the hash of leases that each replica holds. Each heartbeat sets a
// field; a script that takes or gives up a lease may do so before.
func (m *Members) LeasesKey() string { return m.options.Conn.Key("replicas", "leases") }

func (m *Members) keys() []string { return []string{m.options.Conn.Key("replicas"), m.LeasesKey()} }

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

// beat sends a heartbeat and learns of the other replicas. The connection logs that Redis is away.
func (m *Members) beat(ctx context.Context) {
	reply, err := m.options.Conn.Run(ctx, beat, m.keys(), m.id, m.options.Leases(), deadAfter.Milliseconds(), lifetime.Milliseconds())
	values, _ := reply.([]any)
	if err != nil || len(values) == 0 {
		return
	}
	before, after := m.update(values[0] == int64(1), alive(values[1:]), time.Now())
	if before != after {
		m.logger.InfoContext(ctx, "the number of replicas has changed", slog.Int("alive", after))
	}
}

// alive returns the leases of each replica in the script's reply: its id, then its leases.
func alive(values []any) map[string]int {
	leases := map[string]int{}
	for pair := range slices.Chunk(values, 2) {
		id, _ := pair[0].(string)
		number, _ := pair[len(pair)-1].(string)
		leases[id], _ = strconv.Atoi(number)
	}
	return leases
}

// update replaces what is known. If Redis did not know this replica any more, it has lost its
// data: then the others stay until each should have sent a heartbeat.
func (m *Members) update(added bool, alive map[string]int, now time.Time) (before, after int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before = len(m.leases)
	if added && before > 0 {
		m.keepUntil = now.Add(deadAfter)
	}
	if now.Before(m.keepUntil) {
		maps.Copy(m.leases, alive)
	} else {
		m.leases = alive
	}
	return before, len(m.leases)
}
