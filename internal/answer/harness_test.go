package answer_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/answer"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
)

const (
	conference = "conf"
	id         = "part_1"

	pending      = participant.StatusPending
	dialing      = participant.StatusDialing
	connected    = participant.StatusConnected
	held         = participant.StatusHeld
	disconnected = participant.StatusDisconnected
	rejected     = participant.StatusRejected
)

// harness is a waiter on a fake upstream, in virtual time.
type harness struct {
	*feedtest.Upstream

	t      *testing.T
	hub    *feed.Hub
	waiter *answer.Waiter
	drain  func()
}

func run(t *testing.T, test func(h *harness)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		hub := feed.NewHub(feed.Options{
			PollInterval: time.Second, MaxPollInterval: 5 * time.Second, Linger: 30 * time.Second,
			History: 4096, MaxFeeds: 1, Logger: slog.New(slog.DiscardHandler),
		})
		defer hub.Close()
		draining := make(chan struct{})
		test(&harness{
			Upstream: feedtest.New(), t: t, hub: hub,
			waiter: answer.New(hub, draining), drain: func() { close(draining) },
		})
	})
}

func (h *harness) advance(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// watch keeps a feed of the conference running until the test ends.
func (h *harness) watch(conference string) (stop func()) {
	h.t.Helper()
	_, release, err := h.hub.Acquire(h.t.Context(), h.Upstream, conference)
	if err != nil {
		h.t.Fatal(err)
	}
	h.advance(time.Millisecond)
	return release
}

// added is the participant in the upstream's response to the add.
func added() participant.Participant {
	return participant.Participant{
		ID: id, ConferenceID: conference, PhoneNumber: "+12025551234", Name: "Ada", Role: participant.RoleListener,
		Status: dialing, CreatedAt: time.Unix(1, 0),
	}
}

// write records an add or a remove that succeeded now.
func (h *harness) write(kind participant.WriteKind) {
	key := participant.Key{Credential: h.Fingerprint(), Conference: conference}
	item := participant.Item{Participant: added(), Fields: participant.AllFields}
	if kind == participant.WriteRemove {
		item = participant.Item{Participant: participant.Participant{ID: id, ConferenceID: conference}}
	}
	h.hub.Begin(h.t.Context(), key).Done(participant.Write{Kind: kind, Item: item})
}

// outcome is how a wait ended.
type outcome struct {
	participant participant.Participant
	err         error
	after       time.Duration
}

// wait waits for the answer of an add that succeeds now.
func (h *harness) wait(ctx context.Context) <-chan outcome {
	h.write(participant.WriteAdd)
	return h.waitFor(ctx, answer.Call{Account: h.Upstream, Participant: added(), AnsweredAt: time.Now()})
}

func (h *harness) waitFor(ctx context.Context, call answer.Call) <-chan outcome {
	start, result := time.Now(), make(chan outcome, 1)
	go func() {
		p, err := h.waiter.Wait(ctx, call, answer.Until(ctx, start))
		result <- outcome{p, err, time.Since(start)}
	}()
	synctest.Wait()
	return result
}

// expect checks how a wait ends: with a status, between two times after its start.
func (h *harness) expect(result <-chan outcome, status participant.Status, earliest, latest time.Duration) {
	h.t.Helper()
	got := <-result
	if got.err != nil || got.participant.Status != status || got.after < earliest || got.after > latest {
		h.t.Errorf("got %q, %v after %s, want %q after %s to %s",
			got.participant.Status, got.err, got.after, status, earliest, latest)
	}
}
