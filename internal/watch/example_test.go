package watch_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

// A subscription starts with a snapshot and continues with changes.
func Example() {
	upstream := feedtest.New()
	upstream.Set("ada", participant.StatusConnected)
	hub := feed.NewHub(feed.Options{
		PollInterval: time.Minute, MaxPollInterval: time.Minute, History: 100, Logger: slog.New(slog.DiscardHandler),
	})
	defer hub.Close()
	watcher := watch.NewWatcher(hub, watch.Limits{})

	subscription, err := watcher.Subscribe(context.Background(), watch.Request{Account: upstream, Conference: "conf_1", Heartbeat: time.Minute})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer subscription.Close()

	message, err := subscription.Next(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range message.Snapshot.Participants {
		fmt.Println("snapshot:", p.ID, p.Status)
	}

	// Watchers see a write at once; the next poll would be due in a minute.
	record := hub.Begin(context.Background(), participant.Key{Credential: upstream.Fingerprint(), Conference: "conf_1"})
	record.Done(participant.Write{Kind: participant.WriteRemove, Item: participant.Item{
		Participant: participant.Participant{ID: "ada"},
	}})

	message, err = subscription.Next(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range message.Changes.Changes {
		fmt.Println("removed:", c.Participant.ID, c.Kind == watch.Removed)
	}

	// Output:
	// snapshot: ada connected
	// removed: ada true
}
