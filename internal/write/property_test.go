package write

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// plan is what a property is checked against: calls, and an upstream that loses,
// delays and refuses. Whatever it dials is listed within the time that A1 reads.
type plan struct {
	calls []plannedCall
	steps []step
	// outages says which of the first lists fail.
	outages []bool
}

type plannedCall struct {
	pause  time.Duration
	within time.Duration
	add    participant.Add
}

func seconds(most int) *rapid.Generator[time.Duration] {
	return rapid.Custom(func(rt *rapid.T) time.Duration {
		return time.Duration(rapid.IntRange(0, most*10).Draw(rt, "tenths")) * time.Second / 10
	})
}

func steps() *rapid.Generator[step] {
	return rapid.Custom(func(rt *rapid.T) step {
		s := rapid.SampledFrom([]step{
			{dials: true},
			{dials: true, silent: true},
			{silent: true},
			{dials: true, fails: errCut},
			{fails: errCut},
			{dials: true, fails: upstreamError(503, apierror.UpstreamUnavailable)},
			{fails: upstreamError(503, apierror.UpstreamUnavailable)},
			{dials: true, fails: upstreamError(408, apierror.UpstreamTimeout)},
			{dials: true, fails: upstreamError(200, apierror.UpstreamUndecodable)},
			{fails: upstreamError(409, apierror.ConferenceFull)},
			{fails: upstreamError(401, apierror.CredentialRefused)},
			{fails: errThrottled},
			{fails: throttledFor(4 * time.Second)},
			{fails: throttledFor(time.Minute)},
			{fails: errUnreached},
			{fails: errNoCredential},
			{unsent: &apierror.Error{Reason: apierror.BreakerOpen}},
		}).Draw(rt, "kind")
		s.wait, s.takes = seconds(15).Draw(rt, "turn"), seconds(90).Draw(rt, "takes")
		s.dialsAfter, s.lag = seconds(3).Draw(rt, "dials after"), seconds(4).Draw(rt, "lag")
		return s
	})
}

func draw(rt *rapid.T, adds *rapid.Generator[participant.Add]) plan {
	calls := rapid.Custom(func(rt *rapid.T) plannedCall {
		return plannedCall{
			pause:  seconds(20).Draw(rt, "pause"),
			within: seconds(90).Draw(rt, "within"),
			add:    adds.Draw(rt, "add"),
		}
	})
	return plan{
		calls:   rapid.SliceOfN(calls, 1, 6).Draw(rt, "calls"),
		steps:   rapid.SliceOfN(steps(), 1, 8).Draw(rt, "steps"),
		outages: rapid.SliceOfN(rapid.Bool(), 0, 3).Draw(rt, "outages"),
	}
}

// run makes the plan's calls, each under its number, and waits for every answer.
func (p plan) run(requestID string) (*harness, []result) {
	h := newHarness(p.steps...)
	h.upstream.lists = func(n int) error {
		if n < len(p.outages) && p.outages[n] {
			return errCut
		}
		return nil
	}
	var calls []*pending
	for i, c := range p.calls {
		time.Sleep(c.pause)
		ctx := context.WithValue(context.Background(), caseKey{}, i)
		calls = append(calls, h.addUnder(ctx, h.call(requestID), c.add, c.within))
	}
	var results []result
	for _, call := range calls {
		results = append(results, call.wait())
	}
	return h, results
}

// check checks a property of plans, in virtual time.
func check(t *testing.T, adds *rapid.Generator[participant.Add], requestID string, property func(*harness, []result) error) {
	rapid.Check(t, func(rt *rapid.T) {
		p := draw(rt, adds)
		var failure error
		synctest.Test(t, func(t *testing.T) {
			h, results := p.run(requestID)
			failure = errors.Join(h.Drain(t.Context()), property(h, results), h.recorder.check())
			h.Close()
		})
		if failure != nil {
			rt.Fatal(failure)
		}
	})
}

func TestA01_DialledAtMostOnce(t *testing.T) {
	check(t, rapid.Just(alice), "r", func(h *harness, results []result) error {
		var dialled, originals, no int
		for i, got := range results {
			var e *apierror.Error
			switch {
			case got.err == nil && got.added.Participant.ID != "part_1":
				return fmt.Errorf("call %d was given %s", i, got.added.Participant.ID)
			case got.err == nil:
				dialled++
			case !errors.As(got.err, &e) || e.Dialled == "":
				return fmt.Errorf("call %d failed without saying whether it dialled: %w", i, got.err)
			case e.Dialled == apierror.DialledNo:
				no++
			}
			if got.err == nil && !got.added.Replayed {
				originals++
			}
		}
		dials := h.upstream.dials()
		switch {
		case dials > 1:
			return fmt.Errorf("dialled %d times", dials)
		case dialled > 0 && dials == 0:
			return errors.New("success without a dial")
		case no == len(results) && dials > 0:
			return errors.New("every call was told that nothing was dialled")
		case originals > 1, dialled > 0 && len(h.recorder.written()) != 1:
			return fmt.Errorf("%d answers that are no replay, recorded %v", originals, h.recorder.written())
		}
		return nil
	})
}

func TestA01_NoAddGetsTheParticipantOfAnother(t *testing.T) {
	adds := rapid.Custom(func(rt *rapid.T) participant.Add {
		return participant.Add{
			PhoneNumber: alice.PhoneNumber,
			Name:        rapid.SampledFrom([]string{"", "Alice", "Bob"}).Draw(rt, "name"),
			Role:        rapid.SampledFrom([]participant.Role{"", participant.RoleListener, participant.RolePresenter}).Draw(rt, "role"),
		}
	})
	check(t, adds, "", func(h *harness, results []result) error {
		dials := make(map[any]int)
		for _, by := range h.upstream.dialledBy {
			dials[by]++
		}
		for i, got := range results {
			if dials[i] > 1 {
				return fmt.Errorf("call %d dialled %d times", i, dials[i])
			}
			if by := h.upstream.dialledBy[got.added.Participant.ID]; got.err == nil && by != i {
				return fmt.Errorf("call %d was given %s, which call %v made", i, got.added.Participant.ID, by)
			}
		}
		return nil
	})
}
