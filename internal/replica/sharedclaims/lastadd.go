package sharedclaims

import (
	"context"
	"time"
)

// readTimeout bounds a read that an upstream's answer waits for.
const readTimeout = time.Second

func (s *Store) lastAddKey(conference string) string {
	return s.conn.Key("claim", "lastadd", encode(conference))
}

// LastAdd returns when the last add to a conference succeeded, at any replica; zero if it is not
// known, or longer ago than W1 asks for.
func (s *Store) LastAdd(ctx context.Context, conference string) time.Time {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	millis, err := s.conn.Client().Get(ctx, s.lastAddKey(conference)).Int64()
	if err != nil {
		return time.Time{}
	}
	return s.localTime(time.UnixMilli(millis))
}
