// Package bench measures the costs of polling and watching a conference against simple
// baselines. `make bench-micro` prints the ratios, which are comparable between machines.
package bench_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

// size is the number of participants of a full conference, and of subscribers.
const size = 1000

// BenchmarkFanOut delivers one change to many subscribers as an encoded event.
func BenchmarkFanOut(b *testing.B) {
	b.Run("way=gateway", func(b *testing.B) {
		fanOut(b, func(m *watch.Message) error {
			_, err := wire.NewMessage(m).SSE()
			return err
		})
	})
	b.Run("way=plain", func(b *testing.B) {
		fanOut(b, func(m *watch.Message) error { // Each subscriber encodes the message again.
			copied := &watch.Message{Token: m.Token, Snapshot: m.Snapshot, Changes: m.Changes, Checkpoint: m.Checkpoint, End: m.End}
			_, err := wire.NewMessage(copied).SSE()
			return err
		})
	})
}

func fanOut(b *testing.B, deliver func(*watch.Message) error) {
	b.Helper()
	upstream := feedtest.New()
	hub := feed.NewHub(feed.Options{
		PollInterval: time.Hour, MaxPollInterval: time.Hour, History: 4096, Logger: slog.New(slog.DiscardHandler),
	})
	defer hub.Close()
	watcher := watch.NewWatcher(hub, watch.Limits{})
	var ready, received, done sync.WaitGroup
	ready.Add(size)
	ctx, stop := context.WithCancel(b.Context())
	for range size {
		subscription, err := watcher.Subscribe(b.Context(), watch.Request{Account: upstream, Conference: "conf_bench", Heartbeat: time.Hour})
		if err != nil {
			b.Fatal(err)
		}
		done.Go(func() {
			defer subscription.Close()
			for message, err := subscription.Next(ctx); err == nil; message, err = subscription.Next(ctx) {
				if err := deliver(message); err != nil {
					b.Error(err)
				}
				if message.Snapshot != nil {
					ready.Done()
					continue
				}
				received.Done()
			}
		})
	}
	ready.Wait()
	key := participant.Key{Credential: upstream.Fingerprint(), Conference: "conf_bench"}
	b.ReportAllocs()
	for generation := 0; b.Loop(); generation++ {
		received.Add(size)
		hub.Begin(b.Context(), key).Done(participant.Write{Kind: participant.WriteAdd, Item: participant.Item{
			Participant: participant.Participant{ID: "part_000001", Name: fmt.Sprint("Generation ", generation)},
			Fields:      participant.FieldName,
		}})
		received.Wait()
	}
	stop()
	done.Wait()
}

// BenchmarkSnapshot encodes a full conference as JSON.
func BenchmarkSnapshot(b *testing.B) {
	participants := make([]participant.Participant, size)
	for i := range participants {
		participants[i] = participant.Participant{
			ID: fmt.Sprintf("part_%06d", i), ConferenceID: "conf_bench", PhoneNumber: fmt.Sprintf("+1202555%04d", i),
			Name: fmt.Sprintf("Participant %d", i), Role: participant.RoleListener, Status: participant.StatusConnected,
			Duration: 245, JoinedAt: time.Unix(1770203730, 0),
		}
	}
	snapshot := func() *wire.Message {
		return wire.NewMessage(&watch.Message{Snapshot: &watch.Snapshot{Participants: participants, Total: size, Active: size}})
	}
	b.Run("way=gateway", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := snapshot().JSON(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("way=plain", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := protojson.Marshal(snapshot().Response()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
