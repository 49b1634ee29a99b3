package sharedclaims

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/audian/participant-gateway/internal/batch"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/write"
)

var _ batch.Shared = (*Store)(nil)

const (
	// entryLifetime is longer than the lifetime of the batch: no entry of a held batch is sent
	// again because its claim has expired.
	entryLifetime = lifetime + time.Minute
	// keepChunk is how many claims one call extends.
	keepChunk = 200
)

// KeepBatch implements batch.Shared. The claims are extended before the batch.
func (s *Store) KeepBatch(ctx context.Context, held batch.SharedBatch) error {
	if err := s.conn.Err(); err != nil {
		return err
	}
	hash, err := hashOf(held.Adds)
	if err != nil {
		return err
	}
	mustExist := "0"
	if held.MustExist {
		mustExist = "1"
	}
	key := s.conn.Key("claim", "batch", hashText(held.Scope))
	for chunk := range slices.Chunk(held.Entries, keepChunk) {
		keys := []string{key}
		for _, scope := range chunk {
			keys = append(keys, s.claimKey(scope))
		}
		value, err := s.conn.Run(ctx, keepBatchScript, keys, hash, mustExist, lifetime.Milliseconds(), entryLifetime.Milliseconds())
		if err != nil {
			return err
		}
		switch replyOf(value).word() {
		case "unknown":
			return batch.ErrUnknown
		case "reused":
			return write.ErrRequestIDReused
		}
	}
	return nil
}

// hashOf returns a hash that differs between batches with different adds.
func hashOf(adds []participant.Add) (string, error) {
	stored := make([]storedAdd, len(adds))
	for i, add := range adds {
		stored[i] = storedAddOf(add)
	}
	encoded, err := json.Marshal(stored)
	if err != nil {
		return "", fmt.Errorf("encode the adds of a batch: %w", err)
	}
	return hashText(string(encoded)), nil
}

// WaitAvailable implements batch.Shared.
func (s *Store) WaitAvailable(ctx context.Context) error {
	for {
		changed := s.conn.Changed()
		if s.conn.Available() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
