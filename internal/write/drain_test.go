package write

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

func TestW16_DrainWaitsForPendingAdds(t *testing.T) {
	tests := map[string]struct {
		step   step
		within time.Duration
	}{
		"waiting":                  {step{wait: 5 * time.Second, dials: true}, 0},
		"sent":                     {step{dials: true, takes: 5 * time.Second}, 0},
		"reconciling":              {step{dials: true, lag: 5 * time.Second, fails: errCut}, 0},
		"sent, the caller is gone": {step{dials: true, takes: 5 * time.Second}, time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(test.step), func(t *testing.T, h *harness) {
				began := time.Now()
				h.add(h.call(""), alice, test.within)
				synctest.Wait()
				if err := h.Drain(t.Context()); err != nil || time.Since(began) != 5*time.Second {
					t.Errorf("drained after %v: %v", time.Since(began), err)
				}
				if h.upstream.dials() != 1 || len(h.recorder.written()) != 1 {
					t.Errorf("dialled %d, recorded %v", h.upstream.dials(), h.recorder.written())
				}
			})
		})
	}
}

func TestW16_DrainEndsWithItsContext(t *testing.T) {
	virtual(t, script(step{silent: true}), func(t *testing.T, h *harness) {
		if err := h.Drain(t.Context()); err != nil {
			t.Errorf("nothing to drain: %v", err)
		}
		h.add(h.call(""), alice, 0)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := h.Drain(ctx); err == nil {
			t.Error("drained")
		}
	})
}

func TestW16_AddsStillUnansweredBecomeUnknown(t *testing.T) {
	tests := map[string]struct {
		step    step
		reason  apierror.Reason
		dialled apierror.Dialled
	}{
		"sent":           {step{silent: true}, apierror.AddOutcomeUnknown, apierror.DialledUnknown},
		"reconciling":    {step{fails: errCut}, apierror.AddOutcomeUnknown, apierror.DialledUnknown},
		"waiting":        {step{wait: 2 * time.Second, dials: true}, apierror.Draining, apierror.DialledNo},
		"to be sent":     {step{fails: throttledFor(3 * time.Second)}, apierror.Draining, apierror.DialledNo},
		"answered later": {step{dials: true, takes: 2 * time.Second}, apierror.AddOutcomeUnknown, apierror.DialledUnknown},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			virtual(t, script(test.step), func(t *testing.T, h *harness) {
				first, second := h.add(h.call("r"), alice, 0), h.add(h.call("r"), alice, 0)
				time.Sleep(time.Second)
				h.Abandon()
				for _, got := range []result{first.wait(), second.wait()} {
					want(t, got.err, test.reason, test.dialled)
					if got.at != time.Second {
						t.Errorf("answered after %v", got.at)
					}
				}
				want(t, h.add(h.call("late"), alice, 0).wait().err, apierror.Draining, apierror.DialledNo)
				time.Sleep(5 * time.Second)
				if test.dialled == apierror.DialledNo && h.upstream.dials() > 0 {
					t.Error("was dialled after all")
				}
			})
		})
	}
}

// An answer that comes after all is still news for the watchers.
func TestW16_AnAbandonedRequestIsNotCancelled(t *testing.T) {
	virtual(t, script(step{dials: true, takes: 2 * time.Second}), func(t *testing.T, h *harness) {
		p := h.add(h.call(""), alice, 0)
		time.Sleep(time.Second)
		h.Abandon()
		want(t, p.wait().err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
		time.Sleep(2 * time.Second)
		if got := h.recorder.written(); len(got) != 1 {
			t.Errorf("recorded %v", got)
		}
	})
}

func TestW16_CloseCancelsPendingRequests(t *testing.T) {
	virtual(t, script(step{silent: true}), func(t *testing.T, h *harness) {
		p := h.add(h.call(""), alice, 0)
		synctest.Wait()
		began := time.Now()
		h.Close()
		if took := time.Since(began); took != 0 {
			t.Errorf("closed after %v", took)
		}
		want(t, p.wait().err, apierror.AddOutcomeUnknown, apierror.DialledUnknown)
	})
}
