package feed_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
)

// controlled is a control that was answered without a participant.
func controlled(c participant.Control, id string) participant.Controlled {
	return participant.Controlled{Control: c, Item: participant.Item{Participant: participant.Participant{ID: id}}}
}

func TestA08_ControlReachesTheFeedAtOnce(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusConnected)
		f, release := h.watch()
		defer release()
		before := f.State()
		sent := time.Now()
		record := h.hub.BeginControl(t.Context(), key())
		h.advance(100 * time.Millisecond)
		record.Done(controlled(participant.ControlHold, "a"))
		select {
		case <-before.Changed():
		default:
			t.Error("no watcher was woken")
		}
		entries, kept := f.State().After(before.Position)
		if !kept || len(entries) != 1 || len(entries[0].Changes) != 1 {
			t.Fatalf("the log has %+v", entries)
		}
		entry := entries[0]
		if !entry.Changes[0].ByWrite || entry.Changes[0].After.Status != participant.StatusHeld {
			t.Errorf("the change is %+v", entry.Changes[0])
		}
		if !entry.NotBefore.Equal(sent) || !entry.NotAfter.Equal(time.Now()) {
			t.Errorf("not_before and not_after are %v and %v, want sent and answered", entry.NotBefore, entry.NotAfter)
		}
	})
}

func TestA08_ListInFlightSaysNothingAboutTheField(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("b", participant.StatusConnected)
		f, release := h.watch()
		defer release()
		h.Slow(500 * time.Millisecond)
		h.nextStart()
		h.hub.BeginControl(t.Context(), key()).Done(controlled(participant.ControlHold, "b"))
		h.advance(600 * time.Millisecond)
		if got := statusOf(t, f, "b"); got != participant.StatusHeld {
			t.Errorf("status after the list: got %q", got)
		}
	})
}

// TestA08_ListBegunSinceTheControlWasSentOvertakesIt has a list between a control's start and its end that changes the
// field.
func TestA08_ListBegunSinceTheControlWasSentOvertakesIt(t *testing.T) {
	for name, began := range map[string]bool{"with a feed from the start": true, "with a feed that began later": false} {
		t.Run(name, func(t *testing.T) {
			run(t, feed.Options{}, func(h *harness) {
				h.Set("a", participant.StatusConnected)
				early := h.hub.BeginControl(t.Context(), key())
				f, release := h.watch()
				defer release()
				record := h.hub.BeginControl(t.Context(), key())
				if !began {
					record = early
				}
				h.Set("a", participant.StatusHeld)
				h.advance(6 * time.Second)
				record.Done(controlled(participant.ControlResume, "a"))
				if got := statusOf(t, f, "a"); got != participant.StatusHeld {
					t.Errorf("status after the answer: got %q", got)
				}
			})
		})
	}
}

func TestA08_NothingIsPublishedForOthers(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.hub.BeginControl(t.Context(), key()).Done(controlled(participant.ControlMute, "a")) // No feed.
		h.hub.BringForward(t.Context(), key())
		f, release := h.watch()
		defer release()
		before := f.State()
		h.hub.BeginControl(t.Context(), key()).Done(controlled(participant.ControlMute, "a"))
		h.hub.BringForward(t.Context(), key())
		if after := f.State(); after.Position != before.Position || after.Total != 0 {
			t.Errorf("before: %+v, after: %+v", before, after)
		}
	})
}

// TestA08_ControlIsNoWrite: a 404 after a control is no lag (W1), and the control proves no
// conference (W11).
func TestA08_ControlIsNoWrite(t *testing.T) {
	t.Run("a 404 ends a new feed", func(t *testing.T) {
		run(t, feed.Options{}, func(h *harness) {
			h.hub.BeginControl(t.Context(), key()).Done(controlled(participant.ControlMute, "a"))
			h.Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
			f, release := h.watch()
			defer release()
			if f.State().End == nil {
				t.Error("the feed goes on")
			}
		})
	})
	t.Run("two 404s end a known feed", func(t *testing.T) {
		run(t, feed.Options{}, func(h *harness) {
			h.Set("a", participant.StatusConnected)
			f, release := h.watch()
			defer release()
			h.Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
			began := h.nextStart()
			h.hub.BeginControl(t.Context(), key()).Done(controlled(participant.ControlMute, "a"))
			for f.State().End == nil && time.Since(began) < time.Minute {
				h.advance(100 * time.Millisecond)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("the feed ended %v after the first 404", took)
			}
		})
	})
}

// TestA08_NextListComesEarlier completes a control and a MuteAll at the start of a list, during
// it and after it.
func TestA08_NextListComesEarlier(t *testing.T) {
	completed := map[string]func(h *harness){
		"a control": func(h *harness) {
			h.hub.BeginControl(t.Context(), key()).Done(controlled(participant.ControlMute, "a"))
		},
		"MuteAll": func(h *harness) { h.hub.BringForward(t.Context(), key()) },
		"a control of one who left": func(h *harness) {
			h.hub.BeginControl(t.Context(), key()).Done(controlled(participant.ControlMute, "b"))
		},
	}
	for name, test := range map[string]struct{ at, latest time.Duration }{
		"at a list's start":   {0, 1100 * time.Millisecond},
		"during a list":       {500 * time.Millisecond, 1100 * time.Millisecond},
		"just before its end": {980 * time.Millisecond, 1100 * time.Millisecond},
		"long after its end":  {3 * time.Second, 3100 * time.Millisecond},
	} {
		for what, complete := range completed {
			t.Run(what+" "+name, func(t *testing.T) {
				run(t, feed.Options{}, func(h *harness) {
					h.Set("a", participant.StatusConnected)
					h.Share(50 * time.Second)
					h.Slow(time.Second)
					_, release := h.watch()
					defer release()
					h.advance(2 * time.Second)
					began := h.nextStart()
					h.advance(test.at)
					n := len(h.Starts())
					complete(h)
					if gap := h.startAfter(n).Sub(began); gap < time.Second || gap > test.latest {
						t.Errorf("the next list started %v after that one, want %v at the latest", gap, test.latest)
					}
				})
			})
		}
	}
}

func TestA08_ManyControlsNeverPollFasterThanTheBaseInterval(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusConnected)
		_, release := h.watch()
		defer release()
		for range 100 {
			h.hub.BringForward(t.Context(), key())
			h.hub.BeginControl(t.Context(), key()).Done(controlled(participant.ControlMute, "a"))
			h.advance(100 * time.Millisecond)
		}
		if polls := h.pollsWithin(10 * time.Second); polls > 11 {
			t.Errorf("%d lists in 10 s", polls)
		}
	})
}
