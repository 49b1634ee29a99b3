package answer_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/answer"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
)

func TestA11_TheWaitEndsWithTheFirstStatusThatIsNotPendingOrDialing(t *testing.T) {
	for _, status := range []participant.Status{connected, held, disconnected, rejected, "voicemail"} {
		t.Run(string(status), func(t *testing.T) {
			run(t, func(h *harness) {
				h.Set(id, pending)
				result := h.wait(h.t.Context())
				h.advance(5 * time.Second)
				h.Set(id, dialing)
				h.advance(15 * time.Second)
				h.Set(id, status)
				h.expect(result, status, 20*time.Second, 22*time.Second)
			})
		})
	}
}

func TestA11_AnAddWithAnOutcomeStartsNoFeed(t *testing.T) {
	for _, status := range []participant.Status{connected, held, disconnected, rejected, "voicemail"} {
		run(t, func(h *harness) {
			p := added()
			p.Status = status
			h.expect(h.waitFor(h.t.Context(), answer.Call{Account: h.Upstream, Participant: p}), status, 0, 0)
			if opened, _ := h.Sources(); opened != 0 {
				t.Errorf("%s: %d feeds", status, opened)
			}
		})
	}
}

// TestA11_ManyWaitsCostNoPollsBeyondTheFeedsOwn compares the lists of a watched conference with
// and without waits.
func TestA11_ManyWaitsCostNoPollsBeyondTheFeedsOwn(t *testing.T) {
	lists := func(waits int) (count int) {
		run(t, func(h *harness) {
			h.Set(id, dialing)
			defer h.watch(conference)()
			h.write(participant.WriteAdd)
			results := make([]<-chan outcome, waits)
			for i := range results {
				results[i] = h.waitFor(h.t.Context(), answer.Call{Account: h.Upstream, Participant: added(), AnsweredAt: time.Now()})
			}
			h.advance(30 * time.Second)
			h.Set(id, connected)
			for _, result := range results {
				h.expect(result, connected, 30*time.Second, 32*time.Second)
			}
			h.advance(time.Until(h.Starts()[0].Add(40 * time.Second)))
			count = len(h.Starts())
		})
		return count
	}
	// The jitter of the polls may make a difference of a few lists.
	if without, with := lists(0), lists(100); with > without+2 {
		t.Errorf("%d lists without waits, %d with", without, with)
	}
}

func TestA11_TheFeedLingersAfterTheWaitAndEnds(t *testing.T) {
	run(t, func(h *harness) {
		h.Set(id, dialing)
		result := h.wait(h.t.Context())
		h.advance(time.Second)
		h.Set(id, connected)
		h.expect(result, connected, time.Second, 3*time.Second)
		h.advance(31 * time.Second)
		if opened, open := h.Sources(); opened != 1 || open != 0 {
			t.Errorf("opened %d feeds, %d still open", opened, open)
		}
	})
}

func TestA11_TheWaitEndsAfter70SecondsOrJustBeforeTheDeadline(t *testing.T) {
	tests := map[string]struct {
		deadline         time.Duration
		earliest, latest time.Duration
	}{
		"no deadline":          {0, 70 * time.Second, 70 * time.Second},
		"the default deadline": {75 * time.Second, 70 * time.Second, 70 * time.Second},
		"a long deadline":      {time.Hour, 70 * time.Second, 70 * time.Second},
		"a deadline":           {20 * time.Second, 19500 * time.Millisecond, 19500 * time.Millisecond},
		"a short deadline":     {time.Second, 800 * time.Millisecond, 800 * time.Millisecond},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				ctx := h.t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				h.Set(id, pending)
				h.expect(h.wait(ctx), pending, test.earliest, test.latest)
			})
		})
	}
}

func TestA11_TheLimitCountsFromTheStartOfTheCall(t *testing.T) {
	run(t, func(h *harness) {
		start := time.Now()
		h.advance(time.Minute) // The add waits for its turn.
		h.Set(id, dialing)
		p, err := h.waiter.Wait(h.t.Context(), answer.Call{Account: h.Upstream, Participant: added()}, answer.Until(h.t.Context(), start))
		if took := time.Since(start); err != nil || p.Status != dialing || took != 70*time.Second {
			t.Errorf("got %q, %v after %s", p.Status, err, took)
		}
	})
}

func TestA11_NoWaitBeginsAfterItsLimit(t *testing.T) {
	run(t, func(h *harness) {
		call := answer.Call{Account: h.Upstream, Participant: added()}
		if p, err := h.waiter.Wait(h.t.Context(), call, time.Now()); err != nil || p != added() {
			t.Errorf("got %+v, %v", p, err)
		}
		if opened, _ := h.Sources(); opened != 0 {
			t.Errorf("%d feeds", opened)
		}
	})
}

// TestA11_AListThatLagsEndsNoWait hides the participant from lists that begin soon after the add.
func TestA11_AListThatLagsEndsNoWait(t *testing.T) {
	for name, watched := range map[string]bool{"the feed began before the add": true, "the feed begins after the add": false} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				if watched {
					defer h.watch(conference)()
				}
				result := h.wait(h.t.Context())
				h.advance(4 * time.Second)
				h.Set(id, dialing)
				h.advance(16 * time.Second)
				h.Set(id, connected)
				h.expect(result, connected, 20*time.Second, 22*time.Second)
			})
		})
	}
}

func TestA11_TheWaitEndsWhenTheParticipantIsRemoved(t *testing.T) {
	tests := map[string]struct {
		remove func(h *harness)
		// latest is when the wait ends at the latest after the removal.
		latest time.Duration
	}{
		"by a list": {func(h *harness) { h.Remove(id) }, 2 * time.Second},
		"by a write": {func(h *harness) {
			h.write(participant.WriteRemove)
			h.Remove(id)
		}, 0},
		"by a write that lists do not show yet": {func(h *harness) { h.write(participant.WriteRemove) }, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				h.Set(id, dialing)
				result := h.wait(h.t.Context())
				h.advance(10 * time.Second)
				test.remove(h)
				h.expect(result, dialing, 10*time.Second, 10*time.Second+test.latest)
			})
		})
	}
}

// TestA11_TheLastStatusOfARemovedParticipantIsTheRosters repeats an add after the participant
// answered and left.
func TestA11_TheLastStatusOfARemovedParticipantIsTheRosters(t *testing.T) {
	run(t, func(h *harness) {
		defer h.watch(conference)()
		h.Set(id, dialing)
		h.write(participant.WriteAdd)
		replay := answer.Call{Account: h.Upstream, Participant: added(), AnsweredAt: time.Now()}
		h.advance(3 * time.Second)
		h.Set(id, connected)
		h.advance(3 * time.Second)
		h.Remove(id)
		h.advance(3 * time.Second)
		h.expect(h.waitFor(h.t.Context(), replay), connected, 0, 0)
	})
}

// TestA11_AParticipantWhomNoListContainsEndsTheWait adds a participant who leaves before the
// feed begins. One list alone proves nothing: it may be a placeholder, or have several pages.
func TestA11_AParticipantWhomNoListContainsEndsTheWait(t *testing.T) {
	run(t, func(h *harness) {
		h.expect(h.wait(h.t.Context()), dialing, 7*time.Second, 12*time.Second)
	})
	run(t, func(h *harness) {
		h.Set("other", connected)
		call := answer.Call{Account: h.Upstream, Participant: added(), AnsweredAt: time.Now()}
		h.advance(time.Minute)
		h.expect(h.waitFor(h.t.Context(), call), dialing, 2*time.Second, 5*time.Second)
	})
	run(t, func(h *harness) {
		result := h.wait(h.t.Context())
		h.advance(6500 * time.Millisecond)
		h.Set(id, connected)
		h.expect(result, connected, 7*time.Second, 9*time.Second)
	})
}

func TestA11_AnIncompleteListProvesNoAbsence(t *testing.T) {
	run(t, func(h *harness) {
		h.Alter(func(l *participant.List) { l.PageErr = errors.New("a later page failed") })
		h.expect(h.wait(h.t.Context()), dialing, 70*time.Second, 70*time.Second)
	})
}

func TestA11_AnOutageEndsNoWait(t *testing.T) {
	for name, watched := range map[string]bool{"of a known feed": true, "before the first list": false} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				h.Set(id, dialing)
				if watched {
					defer h.watch(conference)()
				}
				h.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
				result := h.wait(h.t.Context())
				h.advance(30 * time.Second)
				h.Set(id, connected)
				h.Fail(nil)
				h.expect(result, connected, 30*time.Second, 40*time.Second)
			})
		})
	}
	run(t, func(h *harness) {
		h.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		h.expect(h.wait(h.t.Context()), dialing, 70*time.Second, 70*time.Second)
	})
}

func TestA11_TheEndOfTheFeedEndsTheWait(t *testing.T) {
	gone := feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound)
	run(t, func(h *harness) {
		h.Set(id, dialing)
		result := h.wait(h.t.Context())
		h.advance(20 * time.Second)
		h.Fail(gone)
		h.expect(result, dialing, 22*time.Second, 26*time.Second)
	})
	t.Run("of one that was never known", func(t *testing.T) {
		run(t, func(h *harness) {
			h.Fail(gone)
			h.expect(h.waitFor(h.t.Context(), answer.Call{Account: h.Upstream, Participant: added()}), dialing, 0, time.Second)
		})
	})
	t.Run("a 404 soon after the add is lag", func(t *testing.T) {
		run(t, func(h *harness) {
			h.Fail(gone)
			result := h.wait(h.t.Context())
			h.advance(8 * time.Second)
			h.Set(id, connected)
			h.Fail(nil)
			h.expect(result, connected, 8*time.Second, 15*time.Second)
		})
	})
}

func TestA11_WithoutAFeedTheAddAnswersAtOnce(t *testing.T) {
	run(t, func(h *harness) {
		defer h.watch("another")() // The harness allows one feed.
		h.expect(h.wait(h.t.Context()), dialing, 0, 0)
	})
}

func TestA11_ADrainEndsTheWait(t *testing.T) {
	run(t, func(h *harness) {
		h.Set(id, pending)
		result := h.wait(h.t.Context())
		h.advance(10 * time.Second)
		h.drain()
		h.expect(result, pending, 10*time.Second, 10*time.Second)
		later := h.waitFor(h.t.Context(), answer.Call{Account: h.Upstream, Participant: added()})
		h.expect(later, dialing, 0, 0)
		if opened, _ := h.Sources(); opened != 1 {
			t.Errorf("%d feeds", opened)
		}
	})
}

func TestA11_ACancelledCallEndsTheWait(t *testing.T) {
	run(t, func(h *harness) {
		ctx, cancel := context.WithCancel(h.t.Context())
		h.Set(id, dialing)
		result := h.wait(ctx)
		h.advance(time.Second)
		cancel()
		if got := <-result; !errors.Is(got.err, context.Canceled) {
			t.Errorf("got %v", got.err)
		}
		h.advance(31 * time.Second)
		if _, open := h.Sources(); open != 0 {
			t.Error("the feed does not end")
		}
	})
}

// TestA11_FieldsThatListsLackAreTheResponses lists participants by id and status alone, first
// without a status.
func TestA11_FieldsThatListsLackAreTheResponses(t *testing.T) {
	for name, watched := range map[string]bool{"the feed began before the add": true, "the feed begins after the add": false} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				if watched {
					defer h.watch(conference)()
				}
				h.Set(id, connected)
				start := time.Now()
				h.Alter(func(l *participant.List) {
					for i := range l.Items {
						l.Items[i].Fields = participant.FieldStatus
						if time.Since(start) < 10*time.Second {
							l.Items[i].Fields, l.Items[i].Status = 0, ""
						}
					}
				})
				got := <-h.wait(h.t.Context())
				want := added()
				want.Status = connected
				if got.err != nil || got.participant != want || got.after < 10*time.Second {
					t.Errorf("got %+v, %v after %s, want %+v", got.participant, got.err, got.after, want)
				}
			})
		})
	}
}

func TestA11_AnAddThatReportsNoStatusWaits(t *testing.T) {
	run(t, func(h *harness) {
		p := added()
		p.Status = ""
		h.Set(id, "")
		result := h.waitFor(h.t.Context(), answer.Call{Account: h.Upstream, Participant: p, AnsweredAt: time.Now()})
		h.advance(10 * time.Second)
		h.Set(id, connected)
		h.expect(result, connected, 10*time.Second, 12*time.Second)
	})
}
