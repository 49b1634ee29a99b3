package upstream

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

func TestW10_FailingPolls(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want apierror.Reason
	}{
		"read":               {},
		"incomplete":         {&apierror.Error{Reason: apierror.UpstreamIncomplete}, apierror.UpstreamIncomplete},
		"503":                {&apierror.Error{Reason: apierror.UpstreamUnavailable}, apierror.UpstreamUnavailable},
		"vendor's 404":       {&apierror.Error{Reason: apierror.ConferenceNotFound, UpstreamStatus: 404, FromUpstream: true}, ""},
		"vendor's 403":       {&apierror.Error{Reason: apierror.UpstreamForbidden, UpstreamStatus: 403, FromUpstream: true}, ""},
		"caller's 401":       {&apierror.Error{Reason: apierror.UpstreamUnauthenticated, UpstreamStatus: 401, FromUpstream: true}, ""},
		"our own 401":        {&apierror.Error{Reason: apierror.CredentialRefused, UpstreamStatus: 401, FromUpstream: true}, apierror.CredentialRefused},
		"a proxy's 404":      {&apierror.Error{Reason: apierror.ConferenceNotFound, UpstreamStatus: 404}, apierror.ConferenceNotFound},
		"vendor's other 4xx": {&apierror.Error{Reason: apierror.UpstreamRefused, UpstreamStatus: 418, FromUpstream: true}, apierror.UpstreamRefused},
	} {
		if got := pollFailure(test.err); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// TestW10_FailingSince walks through polls of three sources and asks one of them since
// when the account's polls fail.
func TestW10_FailingSince(t *testing.T) {
	outage := &apierror.Error{Reason: apierror.UpstreamUnavailable}
	refusal := &apierror.Error{Reason: apierror.ConferenceNotFound, UpstreamStatus: 404, FromUpstream: true}
	type step struct {
		source int
		err    error
	}
	for name, test := range map[string]struct {
		steps []step
		// asked is the source that asks; since is the step with which the failures began, -1
		// if the account does not fail for that source.
		asked, since int
	}{
		"nothing polled":                       {nil, 0, -1},
		"well":                                 {[]step{{0, nil}}, 0, -1},
		"its own failure":                      {[]step{{0, nil}, {0, outage}}, 0, 1},
		"another's, its own poll succeeded":    {[]step{{0, nil}, {1, nil}, {1, outage}}, 0, -1},
		"another's, then its own":              {[]step{{0, nil}, {1, nil}, {1, outage}, {0, outage}}, 0, 2},
		"one that never succeeded":             {[]step{{0, nil}, {1, outage}, {1, outage}}, 1, -1},
		"one that keeps failing, then its own": {[]step{{0, nil}, {1, outage}, {1, outage}, {0, outage}}, 0, 3},
		"one that keeps failing after a success of others": {
			[]step{{0, nil}, {1, nil}, {1, outage}, {0, nil}, {1, outage}, {1, outage}}, 1, -1,
		},
		"another's success ends it":     {[]step{{0, nil}, {1, nil}, {0, outage}, {1, nil}}, 0, -1},
		"another's refusal ends it":     {[]step{{0, nil}, {0, outage}, {1, refusal}}, 0, -1},
		"all were never well":           {[]step{{0, outage}, {1, outage}, {2, outage}}, 0, -1},
		"it goes on from the first one": {[]step{{0, nil}, {1, nil}, {0, outage}, {1, outage}, {0, outage}}, 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := account(t, &upstream{})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var sources []*Source
				for i := range 3 {
					sources = append(sources, a.OpenSource(ctx, fmt.Sprint(i)))
				}
				began := time.Now()
				for _, step := range test.steps {
					sources[step.source].Settle(step.err)
					time.Sleep(time.Second)
				}
				pace := sources[test.asked].Pace(time.Second, 0)
				if test.since < 0 {
					if !pace.FailingSince.IsZero() || pace.FailingReason != "" {
						t.Errorf("failing since %v: %s", pace.FailingSince.Sub(began), pace.FailingReason)
					}
					return
				}
				want := time.Duration(test.since) * time.Second
				if got := pace.FailingSince.Sub(began); got != want || pace.FailingReason != apierror.UpstreamUnavailable {
					t.Errorf("failing since %v, want %v: %s", got, want, pace.FailingReason)
				}
			})
		})
	}
}

func TestW10_ChangesOfFailingNotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := account(t, &upstream{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		one, two := a.OpenSource(ctx, "1"), a.OpenSource(ctx, "2")
		one.Settle(nil)
		begins := two.Pace(time.Second, 0).Changed
		one.Settle(&apierror.Error{Reason: apierror.UpstreamTimeout})
		<-begins
		ends := two.Pace(time.Second, 0).Changed
		two.Settle(nil)
		<-ends
		one.Settle(nil)
		one.Settle(&apierror.Error{Reason: apierror.UpstreamTimeout})
		ends = two.Pace(time.Second, 0).Changed
		cancel()
		<-ends // With the last source goes what is known of failing polls.
	})
}

// TestW10_OnePollOutOfTurnWhileAllFail has three sources ask whether to probe.
func TestW10_OnePollOutOfTurnWhileAllFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := account(t, &upstream{})
		outage := &apierror.Error{Reason: apierror.UpstreamTimeout}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		well, one, two := a.OpenSource(ctx, "well"), a.OpenSource(ctx, "1"), a.OpenSource(ctx, "2")
		ask := func(name string, wantWell, wantOne, wantTwo bool) {
			t.Helper()
			if w, o, u := well.Probe(), one.Probe(), two.Probe(); w != wantWell || o != wantOne || u != wantTwo {
				t.Errorf("%s: %v %v %v", name, w, o, u)
			}
		}
		ask("nothing polled", false, false, false)
		well.Settle(nil)
		one.Settle(outage)
		two.Settle(outage)
		ask("polled just now", false, false, false)
		time.Sleep(probeAfter)
		ask("for a while nothing was polled", false, true, false)
		ask("one probe is enough", false, false, false)
		time.Sleep(probeAfter)
		a.budget.rate.pause(time.Now(), probeAfter)
		ask("while paused", false, false, false)
		time.Sleep(probeAfter)
		well.Settle(nil)
		time.Sleep(probeAfter)
		ask("not all fail", false, false, false)
	})
}

// TestW10_FailingFeedsAndHealthyOnes plays feeds as package feed does, 400 of 500 failing,
// and expects the healthy ones to get what the interval in force promises.
func TestW10_FailingFeedsAndHealthyOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		polled := map[bool]int{}
		var mu sync.Mutex
		u.set(func(r *http.Request) (response, error) {
			failing := strings.Contains(r.URL.Path, "failing")
			mu.Lock()
			polled[failing]++
			mu.Unlock()
			if failing {
				return reply(503, ``), nil
			}
			return well(r)
		})
		a := account(t, u)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var running sync.WaitGroup
		for i := range 500 {
			name := fmt.Sprintf("healthy%d", i)
			if i%5 > 0 {
				name = fmt.Sprintf("failing%d", i)
			}
			s := a.OpenSource(ctx, name)
			running.Go(func() {
				for first := true; s.Turn(ctx, first) == nil; first = false {
					began := time.Now()
					_ = poll(ctx, s)
					wait(ctx, time.Until(began.Add(s.Pace(time.Second, 0).Interval)))
				}
			})
		}
		running.Wait()
		// 500 feeds share 10 requests a second: each is polled every 50 s.
		if got := polled[false]; got < 1000 || got > 1300 {
			t.Errorf("%d lists of 100 healthy feeds in 10 minutes, want about 1,200", got)
		}
	})
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
