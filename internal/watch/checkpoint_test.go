package watch_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

func TestW10_OneStaleThenChangesThenOneFresh(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", dialing)
		c := h.watch(watch.Request{})
		defer c.subscription.Close()
		c.expect("initial a(dialing)")
		h.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		c.expect("stale UPSTREAM_UNAVAILABLE")
		h.Remove("a")
		h.Set("b", connected)
		h.Fail(nil)
		c.expect("+b(connected) -a(dialing>dialing)")
		c.expect("fresh")
	})
}

func TestW10_RecoveryWithoutChangesIsOneFresh(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", dialing)
		c := h.watch(watch.Request{Heartbeat: time.Minute})
		defer c.subscription.Close()
		c.expect("initial a(dialing)")
		h.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		c.expect("stale UPSTREAM_UNAVAILABLE")
		start := time.Now()
		h.Fail(nil)
		c.expect("fresh")
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("FRESH came after %v", took)
		}
		c.expect("fresh")
		if took := time.Since(start); took < 50*time.Second {
			t.Errorf("a second FRESH after %v is no heartbeat", took)
		}
	})
}

func TestW13_CheckpointAtLeastEveryHeartbeat(t *testing.T) {
	for _, heartbeat := range []time.Duration{5 * time.Second, 15 * time.Second, time.Minute} {
		t.Run(heartbeat.String(), func(t *testing.T) {
			run(t, history, func(h *harness) {
				c := h.watch(watch.Request{Heartbeat: heartbeat, Filter: only(held)})
				defer c.subscription.Close()
				c.expect("initial")
				last := time.Now()
				for i := range 20 {
					h.Set("a", []participant.Status{connected, dialing}[i%2]) // The filter hides it.
					c.expect("fresh")
					if gap := time.Since(last); gap > heartbeat {
						t.Errorf("gap %v", gap)
					}
					last = time.Now()
				}
			})
		})
	}
}

// TestW13_ACheckpointIncludesHiddenChanges has participants join whom the filter hides: the next
// checkpoint has the position and the totals after all of them.
func TestW13_ACheckpointIncludesHiddenChanges(t *testing.T) {
	for hidden := range 4 {
		t.Run(strconv.Itoa(hidden), func(t *testing.T) {
			run(t, history, func(h *harness) {
				c, all := h.watch(watch.Request{Heartbeat: time.Minute, Filter: only(held)}), h.watch(watch.Request{Heartbeat: time.Minute})
				defer c.subscription.Close()
				defer all.subscription.Close()
				c.expect("initial")
				all.expect("initial")
				received := make(chan *watch.Message, 1)
				go func() {
					message, _ := c.next()
					received <- message
				}()
				for i := range hidden {
					h.Set(string(rune('a'+i)), connected)
					all.expect("+" + string(rune('a'+i)) + "(connected)")
				}
				message := <-received
				if message == nil || message.Checkpoint == nil {
					t.Fatalf("got %v, want a checkpoint", message)
				}
				all.expect("fresh")
				counts, want := *message.Checkpoint.Counts, watch.Counts{Total: hidden, Active: hidden}
				if message.Token == all.token || watch.SeqOf(message.Token) != watch.SeqOf(all.token) || counts != want {
					t.Errorf("the checkpoint is at %d with %+v, want %d, %+v", watch.SeqOf(message.Token), counts, watch.SeqOf(all.token), want)
				}
			})
		})
	}
}

func TestW13_ChangesDoNotDelayTheCheckpoint(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", dialing)
		c := h.watch(watch.Request{Heartbeat: 5 * time.Second})
		defer c.subscription.Close()
		last := time.Now()
		for i := range 60 {
			message, err := c.next()
			if err != nil {
				t.Fatal(err)
			}
			if message.Checkpoint != nil {
				last = time.Now()
			}
			if gap := time.Since(last); gap > 5*time.Second {
				t.Fatalf("gap %v", gap)
			}
			h.Set("a", []participant.Status{connected, dialing}[i%2])
		}
	})
}

func TestW13_SlowReaderGetsCheckpointsOfItsOwnPosition(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", dialing)
		c := h.watch(watch.Request{Heartbeat: 5 * time.Second})
		defer c.subscription.Close()
		c.expect("initial a(dialing)")
		for i := range 30 { // Participants join faster than the client reads.
			h.Set(string(rune('b'+i)), dialing)
			h.advance(1100 * time.Millisecond)
		}
		message, err := c.next()
		if err != nil || message.Checkpoint == nil {
			t.Fatalf("got %v, %v, want a checkpoint", message, err)
		}
		if counts := *message.Checkpoint.Counts; counts != (watch.Counts{Total: 1, Visible: 1}) {
			t.Errorf("counts: %+v", counts)
		}
		c.expect("+b(dialing)")
	})
}

// A client that resumes, and reads nothing at first, is at the position of its token.
func TestW02_SlowReaderThatResumesGetsTotalsOfItsOwnPosition(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", dialing)
		first := h.watch(watch.Request{})
		defer first.subscription.Close()
		first.expect("initial a(dialing)")
		h.Set("b", connected)
		h.advance(1100 * time.Millisecond)
		h.Set("a", connected)
		h.advance(1100 * time.Millisecond)
		slow := h.watch(watch.Request{ResumeToken: first.token, Heartbeat: 5 * time.Second})
		defer slow.subscription.Close()
		slow.held = map[string]participant.Participant{"a": {ID: "a"}}
		h.advance(6 * time.Second)
		message, err := slow.next()
		if err != nil || message.Checkpoint == nil {
			t.Fatalf("got %v, %v, want a checkpoint", message, err)
		}
		if counts := *message.Checkpoint.Counts; counts != (watch.Counts{Total: 1, Visible: 1}) {
			t.Errorf("counts: %+v", counts)
		}
		slow.expect("+b(connected)")
		slow.expect("a(dialing>connected)")
	})
}

// The first checkpoint of a stream may be the heartbeat of a client that has not reached the
// head yet.
func TestW10_FirstHeartbeatReportsAStaleFeed(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", dialing)
		first := h.watch(watch.Request{})
		defer first.subscription.Close()
		first.expect("initial a(dialing)")
		for i := range 3 {
			h.Set("a", []participant.Status{connected, dialing}[i%2])
			h.advance(1100 * time.Millisecond)
		}
		h.Fail(feedtest.Outage(apierror.UpstreamTimeout))
		h.advance(10 * time.Second)
		slow := h.watch(watch.Request{ResumeToken: first.token, Heartbeat: 5 * time.Second})
		defer slow.subscription.Close()
		slow.held = map[string]participant.Participant{"a": {ID: "a"}}
		slow.expect("a(dialing>connected)")
		h.advance(6 * time.Second)
		slow.expect("stale UPSTREAM_TIMEOUT")
		slow.expect("a(connected>dialing)")
		slow.expect("a(dialing>connected)")
		h.Set("a", held)
		h.Fail(nil)
		slow.expect("a(connected>held)") // No second checkpoint before the heartbeat.
		slow.expect("fresh")
	})
}

func TestW13_ClientThatLagsAtEachReadGetsCheckpoints(t *testing.T) {
	run(t, 1, func(h *harness) {
		h.Set("a", dialing)
		c := h.watch(watch.Request{Heartbeat: 5 * time.Second})
		defer c.subscription.Close()
		c.expect("initial a(dialing)")
		for i := range 20 { // The client takes 6.6 s for each message, the log keeps one.
			for j := range 6 {
				h.Set("a", []participant.Status{connected, dialing}[(i*6+j)%2])
				h.advance(1100 * time.Millisecond)
			}
			message, err := c.next()
			if err != nil {
				t.Fatal(err)
			}
			if got, want := strings.Fields(describe(message))[0], []string{"fresh", "lagged"}[i%2]; got != want {
				t.Errorf("message %d is %q, want %q", i, got, want)
			}
		}
	})
}

func TestW13_SlowestClientGetsChangesBetweenCheckpoints(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", dialing)
		c := h.watch(watch.Request{Heartbeat: 5 * time.Second})
		defer c.subscription.Close()
		c.expect("initial a(dialing)")
		for i := range 10 { // Each message takes the client longer than a heartbeat.
			h.Set(string(rune('b'+i)), dialing)
			h.advance(3500 * time.Millisecond)
			h.Set(string(rune('B'+i)), dialing)
			h.advance(3500 * time.Millisecond)
			message, err := c.next()
			if err != nil {
				t.Fatal(err)
			}
			if isCheckpoint := message.Checkpoint != nil; isCheckpoint != (i%2 == 0) {
				t.Errorf("message %d is %q", i, describe(message))
			}
		}
	})
}
