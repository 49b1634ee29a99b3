package upstream

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// controlCalls are the calls whose requests the account sends like a Remove.
var controlCalls = map[string]func(context.Context, *Account) error{
	"mute": func(ctx context.Context, a *Account) error {
		_, err := a.Control(ctx, "c", "part_1", participant.ControlMute)
		return err
	},
	"disconnect": func(ctx context.Context, a *Account) error {
		_, err := a.Control(ctx, "c", "part_1", participant.ControlDisconnect)
		return err
	},
	"mute-all": func(ctx context.Context, a *Account) error { return a.MuteAll(ctx, "c") },
}

func TestA08_AControlReturnsTheParticipantOfTheResponse(t *testing.T) {
	u := &upstream{answer: always(200, `{"data":{"id":"part_1","status":"held"}}`)}
	item, err := account(t, u).Control(t.Context(), "c", "part_1", participant.ControlHold)
	if err != nil || item.ID != "part_1" || item.Status != participant.StatusHeld || item.Fields != participant.FieldStatus {
		t.Errorf("got %+v, %v", item, err)
	}
}

func TestA08_ControlsAreSentOnce(t *testing.T) {
	for name, call := range controlCalls {
		for kind, answer := range map[string]answer{
			"success": always(204, ``), "503": always(503, ``), "429": always(429, ``), "lost": refuse,
		} {
			u := &upstream{answer: answer}
			if err := call(t.Context(), account(t, u)); (err == nil) != (kind == "success") || len(u.times(http.MethodPost)) != 1 {
				t.Errorf("%s, %s: sent %d times, %v", name, kind, len(u.times(http.MethodPost)), err)
			}
		}
	}
}

// TestA08_ControlsTakeNoTurnOfAnAdd sends many controls at once: they wait for nothing, and no
// add waits for them.
func TestA08_ControlsTakeNoTurnOfAnAdd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		a := account(t, u)
		began := time.Now()
		var running sync.WaitGroup
		for _, call := range controlCalls {
			for range 3 * addsPerWindow {
				running.Go(func() {
					if err := call(t.Context(), a); err != nil {
						t.Error(err)
					}
				})
			}
		}
		running.Wait()
		if _, err := a.Add(t.Context(), "c", participant.Add{}, nothing); err != nil || time.Since(began) != 0 {
			t.Errorf("took %v, %v", time.Since(began), err)
		}
	})
}

// TestA08_ControlsPassTheBreaker opens the breaker by failed controls, and tries each control then.
func TestA08_ControlsPassTheBreaker(t *testing.T) {
	for name, call := range controlCalls {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{answer: refuse}
				a := account(t, u)
				for range tripAfter {
					time.Sleep(tripOver / (tripAfter - 2))
					if err := call(t.Context(), a); apiError(t, err).Reason == apierror.BreakerOpen {
						t.Fatal("the breaker opened early")
					}
				}
				sent := len(u.times(http.MethodPost))
				for other, call := range controlCalls {
					if err := call(t.Context(), a); apiError(t, err).Reason != apierror.BreakerOpen {
						t.Errorf("%s: got %v", other, err)
					}
				}
				if got := len(u.times(http.MethodPost)); got != sent {
					t.Errorf("the open breaker let %d requests through", got-sent)
				}
				u.set(nil)
				time.Sleep(probeEvery)
				if err := call(t.Context(), a); err != nil {
					t.Errorf("a probe: %v", err)
				}
			})
		})
	}
}

func TestA08_ControlsWaitForSlowResponses(t *testing.T) {
	for name, call := range controlCalls {
		synctest.Test(t, func(t *testing.T) {
			u := &upstream{answer: hang}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			began := time.Now()
			if err := call(ctx, account(t, u)); apierror.ReasonOf(err) != apierror.DeadlineExceeded || time.Since(began) != 30*time.Second {
				t.Errorf("%s: after %v: %v", name, time.Since(began), err)
			}
		})
	}
}
