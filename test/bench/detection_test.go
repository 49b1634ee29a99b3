package bench_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

const (
	// detections is how many changes one run measures, at evenly spread times within the interval.
	detections = 2
	// listLatency is how long each list takes.
	listLatency = 50 * time.Millisecond
)

// BenchmarkDetection measures how long a change in the upstream takes to reach a subscriber, with and
// without a Refresh that follows the change at once (A12): for a busy conference, which is polled
// every second, and for a quiet one.
func BenchmarkDetection(b *testing.B) {
	for name, interval := range map[string]time.Duration{"interval=1s": time.Second, "interval=5s": 5 * time.Second} {
		b.Run(name+"/way=plain", func(b *testing.B) { detect(b, interval, func(*feed.Hub, context.Context, participant.Key) {}) })
		b.Run(name+"/way=refresh", func(b *testing.B) { detect(b, interval, (*feed.Hub).Refresh) })
	}
}

func detect(b *testing.B, interval time.Duration, refresh func(*feed.Hub, context.Context, participant.Key)) {
	b.Helper()
	upstream := feedtest.New()
	upstream.Slow(listLatency)
	hub := feed.NewHub(feed.Options{
		PollInterval: interval, MaxPollInterval: interval, History: 100, Logger: slog.New(slog.DiscardHandler),
	})
	defer hub.Close()
	subscription, err := watch.NewWatcher(hub, watch.Limits{}).Subscribe(b.Context(), watch.Request{
		Account: upstream, Conference: "conf_bench", Heartbeat: time.Hour,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer subscription.Close()
	nextChange(b, subscription)
	key := participant.Key{Credential: upstream.Fingerprint(), Conference: "conf_bench"}
	status := [2]participant.Status{participant.StatusConnected, participant.StatusHeld}
	var total time.Duration
	measured := 0
	for b.Loop() {
		for i := range detections {
			time.Sleep(interval * time.Duration(2*i+1) / (2 * detections))
			changed := time.Now()
			upstream.Set("part_1", status[measured%2])
			refresh(hub, b.Context(), key)
			nextChange(b, subscription)
			total += time.Since(changed)
			measured++
		}
	}
	b.ReportMetric(0, "ns/op") // It contains the pauses between the changes.
	b.ReportMetric(float64(total.Milliseconds())/float64(measured), "ms/change")
}

// nextChange waits for the next message that contains a roster or changes.
func nextChange(b *testing.B, subscription *watch.Subscription) {
	b.Helper()
	for {
		message, err := subscription.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if message.Checkpoint == nil {
			return
		}
	}
}
