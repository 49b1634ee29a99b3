package watch_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

const history = 4096

func TestW01_SnapshotFirst(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("b", held)
		h.Set("a", connected)
		h.Set("c", disconnected)
		c := h.watch(watch.Request{})
		defer c.subscription.Close()
		message, err := c.next()
		if err != nil {
			t.Fatal(err)
		}
		if got := describe(message); got != "initial a(connected) b(held) c(disconnected)" {
			t.Errorf("got %q", got)
		}
		if message.Snapshot.Total != 3 || message.Snapshot.Active != 2 {
			t.Errorf("total %d, active %d", message.Snapshot.Total, message.Snapshot.Active)
		}
	})
}

func TestW01_StaleWithinFiveSecondsWithoutAList(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		start := time.Now()
		c := h.watch(watch.Request{ResumeToken: "pgw9.x"})
		defer c.subscription.Close()
		message, err := c.next()
		if err != nil || describe(message) != "stale UPSTREAM_UNAVAILABLE" {
			t.Fatalf("got %v, %v", message, err)
		}
		if took := time.Since(start); took >= 5*time.Second {
			t.Errorf("took %v", took)
		}
		if message.Token != "pgw9.x" || message.Checkpoint.Counts != nil {
			t.Errorf("before the first snapshot: token %q, counts %v", message.Token, message.Checkpoint.Counts)
		}
		h.Fail(nil)
		h.Set("a", connected)
		c.expect("expired a(connected)")
		c.expect("fresh")
	})
}

func TestW01_StaleStreamContinuesUntilTheFirstList(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Fail(feedtest.Outage(apierror.UpstreamTimeout))
		c := h.watch(watch.Request{})
		defer c.subscription.Close()
		c.expect("stale UPSTREAM_TIMEOUT")
		c.expect("stale UPSTREAM_TIMEOUT") // The heartbeat.
		h.Fail(nil)
		c.expect("initial")
		c.expect("fresh")
	})
}

func TestW01_RefusalEndsAStreamBeforeTheFirstList(t *testing.T) {
	tests := map[apierror.Reason]int{
		apierror.ConferenceNotFound:      http.StatusNotFound,
		apierror.UpstreamForbidden:       http.StatusForbidden,
		apierror.UpstreamUnauthenticated: http.StatusUnauthorized,
	}
	for reason, status := range tests {
		t.Run(string(reason), func(t *testing.T) {
			run(t, history, func(h *harness) {
				h.Fail(feedtest.Refusal(status, reason))
				c := h.watch(watch.Request{})
				defer c.subscription.Close()
				c.expectError(reason)
			})
		})
	}
}

func TestW01_RefusalAfterStaleEndsTheStream(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Fail(feedtest.Outage(apierror.UpstreamTimeout))
		c := h.watch(watch.Request{Heartbeat: 5 * time.Second})
		defer c.subscription.Close()
		c.expect("stale UPSTREAM_TIMEOUT")
		c.expect("stale UPSTREAM_TIMEOUT") // The heartbeat.
		h.Fail(feedtest.Refusal(http.StatusForbidden, apierror.UpstreamForbidden))
		c.expectError(apierror.UpstreamForbidden)
	})
}

func TestW01_StaleFeedSendsASnapshotAndAStaleCheckpoint(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", dialing)
		first := h.watch(watch.Request{})
		defer first.subscription.Close()
		first.expect("initial a(dialing)")
		h.Set("a", connected)
		h.advance(1100 * time.Millisecond)
		h.Fail(feedtest.Outage(apierror.UpstreamTimeout))
		h.advance(10 * time.Second)

		second := h.watch(watch.Request{})
		defer second.subscription.Close()
		second.expect("initial a(connected)")
		second.expect("stale UPSTREAM_TIMEOUT")

		third := h.watch(watch.Request{ResumeToken: first.token})
		defer third.subscription.Close()
		third.held = map[string]participant.Participant{"a": {ID: "a"}}
		third.expect("a(dialing>connected)")
		third.expect("stale UPSTREAM_TIMEOUT")
	})
}

func TestW11_EndIsTheLastMessage(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", connected)
		c := h.watch(watch.Request{})
		defer c.subscription.Close()
		c.expect("initial a(connected)")
		h.Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
		c.expect("end")
		if _, err := c.next(); !errors.Is(err, io.EOF) {
			t.Errorf("after the end: %v", err)
		}
		h.Fail(nil)
		again := h.watch(watch.Request{ResumeToken: c.token})
		defer again.subscription.Close()
		again.expect("expired a(connected)") // The log has ended.
	})
}

func TestW11_ForbiddenConferenceEndsWithAnError(t *testing.T) {
	run(t, history, func(h *harness) {
		c := h.watch(watch.Request{})
		defer c.subscription.Close()
		c.expect("initial")
		h.Fail(feedtest.Refusal(http.StatusForbidden, apierror.UpstreamForbidden))
		c.expectError(apierror.UpstreamForbidden)
	})
}

func TestW12_LaggingClientGetsOneLaggedSnapshot(t *testing.T) {
	run(t, 3, func(h *harness) {
		h.Set("a", dialing)
		c := h.watch(watch.Request{Heartbeat: time.Minute})
		defer c.subscription.Close()
		c.expect("initial a(dialing)")
		for i := range 10 { // While the client does not read.
			h.Set("a", []participant.Status{connected, dialing}[i%2])
			h.advance(1500 * time.Millisecond)
		}
		c.expect("lagged a(dialing)")
		h.Set("a", connected)
		c.expect("a(dialing>connected)")
	})
}

func TestW12_BlockedClientsDelayNobody(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", dialing)
		for range 50 { // They read the snapshot and nothing more.
			blocked := h.watch(watch.Request{})
			blocked.expect("initial a(dialing)")
			h.t.Cleanup(blocked.subscription.Close)
		}
		reading := h.watch(watch.Request{})
		defer reading.subscription.Close()
		reading.expect("initial a(dialing)")
		start := time.Now()
		h.Set("a", connected)
		reading.expect("a(dialing>connected)")
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestSubscription_EndsWithItsContext(t *testing.T) {
	run(t, history, func(h *harness) {
		c := h.watch(watch.Request{})
		defer c.subscription.Close()
		c.expect("initial")
		cause := errors.New("drained")
		ctx, cancel := context.WithCancelCause(h.t.Context())
		go func() {
			time.Sleep(time.Second)
			cancel(cause)
		}()
		if _, err := c.subscription.Next(ctx); !errors.Is(err, cause) {
			t.Errorf("got %v", err)
		}
	})
}

func TestWatcher_ClosedSubscriptionsAreReleased(t *testing.T) {
	run(t, history, func(h *harness) {
		for range 100 {
			c := h.watch(watch.Request{})
			c.expect("initial")
			c.subscription.Close()
		}
		synctest.Wait()
		if got := h.watcher.Subscribers(); got != 0 {
			t.Errorf("subscribers: %d", got)
		}
	})
}

// TestNextEndsWithItsOwnContext calls Next with contexts that end, before and while it waits.
func TestNextEndsWithItsOwnContext(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", dialing)
		c := h.watch(watch.Request{})
		defer c.subscription.Close()
		c.expect("initial a(dialing)")
		c.expect("fresh")
		reason := errors.New("the reason")
		ending, end := context.WithCancelCause(h.t.Context())
		time.AfterFunc(time.Second, func() { end(reason) })
		for range 2 {
			if message, err := c.subscription.Next(ending); !errors.Is(err, reason) {
				t.Errorf("got %v, %v", message, err)
			}
		}
		h.Set("a", connected)
		c.expect("a(dialing>connected)")
		c.expect("fresh") // The heartbeat.
	})
}
