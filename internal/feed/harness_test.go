package feed_test

import (
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
)

// harness is a hub with an upstream, in virtual time.
type harness struct {
	*feedtest.Upstream

	t   *testing.T
	hub *feed.Hub
}

// run runs a test in virtual time. A goroutine that is left running fails the test.
func run(t *testing.T, options feed.Options, test func(h *harness)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if options.PollInterval == 0 {
			options.PollInterval, options.MaxPollInterval = time.Second, 5*time.Second
		}
		options.Linger = 30 * time.Second
		if options.Logger == nil {
			options.Logger = slog.New(slog.DiscardHandler)
		}
		if options.History == 0 {
			options.History = 4096
		}
		h := &harness{Upstream: feedtest.New(), t: t, hub: feed.NewHub(options)}
		defer h.hub.Close()
		test(h)
	})
}

func (h *harness) watch() (watched *feed.Feed, release func()) { return h.acquire("conf") }

// sleep moves the virtual time. It does not wait for what is due at its end.
func (h *harness) sleep(d time.Duration) { time.Sleep(d) }

// advance moves the virtual time.
func (h *harness) advance(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// pollsWithin returns how many lists began within the last d.
func (h *harness) pollsWithin(d time.Duration) int {
	count := 0
	for _, start := range h.Starts() {
		if time.Since(start) < d {
			count++
		}
	}
	return count
}

func key() participant.Key {
	return participant.Key{Credential: participant.Fingerprint{1}, Conference: "conf"}
}

func statusOf(t *testing.T, f *feed.Feed, id string) participant.Status {
	t.Helper()
	for _, p := range f.State().People.Copy() {
		if p.ID == id {
			return p.Status
		}
	}
	return ""
}

func (h *harness) acquire(conference string) (watched *feed.Feed, release func()) {
	h.t.Helper()
	watched, release, err := h.hub.Acquire(h.t.Context(), h.Upstream, conference)
	if err != nil {
		h.t.Fatalf("acquire %s: %v", conference, err)
	}
	synctest.Wait()
	return watched, release
}

// flips counts how often a feed turns stale or fresh within d. step changes the upstream
// before each look.
func (h *harness) flips(f *feed.Feed, d time.Duration, step func()) int {
	flips, was := 0, f.State().Stale
	for end := time.Now().Add(d); time.Now().Before(end); {
		step()
		h.advance(100 * time.Millisecond)
		if now := f.State().Stale; now != was {
			flips, was = flips+1, now
		}
	}
	return flips
}

// keepBusy keeps a call in flight, so that the feed wants the base interval.
func (h *harness) keepBusy() { h.Set(fmt.Sprint(time.Now().Unix()/60), participant.StatusDialing) }

// nextStart waits for the next list and returns when it started.
func (h *harness) nextStart() time.Time {
	h.t.Helper()
	return h.startAfter(len(h.Starts()))
}

// startAfter waits for the list after the first n, and returns when it started.
func (h *harness) startAfter(n int) time.Time {
	h.t.Helper()
	for began := time.Now(); len(h.Starts()) == n; h.advance(10 * time.Millisecond) {
		if time.Since(began) > 10*time.Minute {
			h.t.Fatal("no further list")
		}
	}
	return h.Starts()[n]
}
