package watch_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

const (
	dialing      = participant.StatusDialing
	connected    = participant.StatusConnected
	held         = participant.StatusHeld
	disconnected = participant.StatusDisconnected
)

// harness is a watcher on a fake upstream, in virtual time.
type harness struct {
	*feedtest.Upstream

	t       *testing.T
	hub     *feed.Hub
	watcher *watch.Watcher
}

func run(t *testing.T, history int, test func(h *harness)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		hub := feed.NewHub(feed.Options{
			PollInterval: time.Second, MaxPollInterval: 5 * time.Second, Linger: 30 * time.Second,
			History: history, Logger: slog.New(slog.DiscardHandler),
		})
		defer hub.Close()
		test(&harness{Upstream: feedtest.New(), t: t, hub: hub, watcher: watch.NewWatcher(hub, watch.Limits{})})
	})
}

func (h *harness) advance(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// client is a subscriber that applies its messages, as a client of the stream does.
type client struct {
	t            *testing.T
	subscription *watch.Subscription
	held         map[string]participant.Participant
	token        string
}

func (h *harness) watch(request watch.Request) *client {
	h.t.Helper()
	request.Account = h.Upstream
	if request.Conference == "" {
		request.Conference = "conf"
	}
	if request.Heartbeat == 0 {
		request.Heartbeat = 15 * time.Second
	}
	subscription, err := h.watcher.Subscribe(context.Background(), request)
	if err != nil {
		h.t.Fatalf("subscribe: %v", err)
	}
	return &client{t: h.t, subscription: subscription, held: map[string]participant.Participant{}}
}

// next waits for the next message, for ten minutes at most, and applies it.
func (c *client) next() (*watch.Message, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Minute)
	defer cancel()
	message, err := c.subscription.Next(ctx)
	if err == nil {
		c.apply(message)
	}
	return message, err
}

func (c *client) apply(m *watch.Message) {
	c.t.Helper()
	c.token = m.Token
	switch {
	case m.Snapshot != nil:
		clear(c.held)
		for _, p := range m.Snapshot.Participants {
			c.held[p.ID] = p
		}
	case m.Changes != nil:
		if len(m.Changes.Changes) == 0 {
			c.t.Error("an empty batch of changes")
		}
		for _, change := range m.Changes.Changes {
			c.change(change)
		}
	case m.Checkpoint != nil && m.Checkpoint.Counts != nil:
		if m.Checkpoint.Counts.Visible != len(c.held) {
			c.t.Errorf("participant_count: got %d, held %d", m.Checkpoint.Counts.Visible, len(c.held))
		}
	}
}

func (c *client) change(change watch.Change) {
	c.t.Helper()
	id := change.Participant.ID
	if _, holds := c.held[id]; holds == (change.Kind == watch.Added) {
		c.t.Errorf("%v of %s, but held: %v", change.Kind, id, holds)
	}
	if change.Kind == watch.Removed || change.Kind == watch.LeftFilter {
		delete(c.held, id)
		return
	}
	c.held[id] = change.Participant
}

// expect waits for the next message and compares its description.
func (c *client) expect(want string) {
	c.t.Helper()
	message, err := c.next()
	if err != nil {
		c.t.Fatalf("next: %v, want %q", err, want)
	}
	if got := describe(message); got != want {
		c.t.Errorf("message: got %q, want %q", got, want)
	}
}

func (c *client) expectError(want apierror.Reason) {
	c.t.Helper()
	message, err := c.next()
	if e, ok := errors.AsType[*apierror.Error](err); !ok || e.Reason != want {
		c.t.Errorf("got %v, %v, want %s", message, err, want)
	}
}

// describe formats a message: "initial a(connected)", "+b(dialing) -a(connected)",
// "fresh", "stale UPSTREAM_TIMEOUT", "end".
func describe(m *watch.Message) string {
	switch {
	case m.Snapshot != nil:
		reason := []string{"", "initial", "expired", "refiltered", "lagged"}[m.Snapshot.Reason]
		return strings.TrimSpace(reason + " " + people(m.Snapshot.Participants))
	case m.Changes != nil:
		return changes(m.Changes.Changes)
	case m.Checkpoint != nil && m.Checkpoint.Stale:
		return "stale " + string(m.Checkpoint.StaleReason)
	case m.Checkpoint != nil:
		return "fresh"
	default:
		return "end"
	}
}

func people(all []participant.Participant) string {
	texts := make([]string, 0, len(all))
	for _, p := range all {
		texts = append(texts, fmt.Sprintf("%s(%s)", p.ID, p.Status))
	}
	return strings.Join(texts, " ")
}

func changes(all []watch.Change) string {
	texts := make([]string, 0, len(all))
	for _, c := range all {
		sign := map[watch.ChangeKind]string{watch.Added: "+", watch.Updated: "", watch.Removed: "-", watch.LeftFilter: "~"}[c.Kind]
		before := ""
		if c.Before != nil {
			before = string(c.Before.Status) + ">"
		}
		texts = append(texts, fmt.Sprintf("%s%s(%s%s)", sign, c.Participant.ID, before, c.Participant.Status))
	}
	return strings.Join(texts, " ")
}

func only(statuses ...participant.Status) participant.Filter {
	return participant.NewFilter(slices.Clone(statuses), nil, nil)
}
