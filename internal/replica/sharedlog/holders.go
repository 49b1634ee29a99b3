package sharedlog

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Holders returns which replica holds the lease of each conference, for the operator. It asks Redis
// once. A conference whose lease is free is missing.
func (l *Logs) Holders(ctx context.Context, conferences []string) (map[string]string, error) {
	replies := make([]*redis.StringCmd, len(conferences))
	pipe := l.conn.Client().Pipeline()
	for i, conference := range conferences {
		replies[i] = pipe.Get(ctx, l.Open(conference).keys.lease)
	}
	// A lease that is free is an error of its own reply.
	if _, err := pipe.Exec(ctx); err != nil && err != redis.Nil { //nolint:errorlint // The client returns it as it is.
		return nil, fmt.Errorf("read the leases: %w", err)
	}
	holders := map[string]string{}
	for i, reply := range replies {
		if replica, valid := l.holder(reply.Val()); valid {
			holders[conferences[i]] = replica
		}
	}
	return holders, nil
}

// holder returns the replica in the value of a lease, which a restart of Redis ends.
func (l *Logs) holder(lease string) (replica string, valid bool) {
	fields := strings.Fields(lease)
	if len(fields) != 3 || fields[0] != l.conn.RunID() {
		return "", false
	}
	return fields[1], true
}
