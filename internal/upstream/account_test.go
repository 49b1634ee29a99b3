package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

func TestA03_AddsOfAnAccountArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		a := account(t, u)
		var running sync.WaitGroup
		for range 25 {
			running.Go(func() {
				if _, err := a.Add(t.Context(), "c", participant.Add{}, nothing); err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
		if got := u.times(http.MethodPost); len(got) != 25 || most(got) != addsPerWindow {
			t.Errorf("%d adds, %d within a second", len(got), most(got))
		}
	})
}

// TestA03_AddsArePacedAsTheyArrive lets all connections open at once, after the adds have
// waited for them for more than a second.
func TestA03_AddsArePacedAsTheyArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{ready: make(chan struct{})}
		time.AfterFunc(2900*time.Millisecond, func() { close(u.ready) })
		a := account(t, u)
		var running sync.WaitGroup
		for range 35 {
			running.Go(func() {
				if _, err := a.Add(t.Context(), "c", participant.Add{}, nothing); err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
		if got := u.times(http.MethodPost); len(got) != 35 || most(got) > addsPerWindow {
			t.Errorf("%d adds, %d within a second", len(got), most(got))
		}
	})
}

// TestA03_UnreachedAddsReturnTheirGrants makes adds fail before any could be written.
func TestA03_UnreachedAddsReturnTheirGrants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unreached := &net.OpError{Op: "dial", Err: errors.New("refused")}
		a := account(t, untraced(func(*http.Request) (*http.Response, error) { return nil, unreached }))
		began := time.Now()
		for range tripAfter - 1 {
			if _, err := a.Add(t.Context(), "c", participant.Add{}, nothing); !apiError(t, err).NotSent {
				t.Errorf("got %v", err)
			}
		}
		if held := len(a.pacer.grants); held != 0 || time.Since(began) != 0 {
			t.Errorf("after %v %d grants are held", time.Since(began), held)
		}
	})
}

// TestA03_TransportsWithoutTraceArePacedToo uses a transport that reports no events.
func TestA03_TransportsWithoutTraceArePacedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var came []time.Time
		a := account(t, untraced(func(*http.Request) (*http.Response, error) {
			came = append(came, time.Now())
			body := io.NopCloser(strings.NewReader(`{"id":"part_1"}`))
			return &http.Response{StatusCode: http.StatusOK, Body: body}, nil
		}))
		for range 25 {
			if _, err := a.Add(t.Context(), "c", participant.Add{}, nothing); err != nil {
				t.Error(err)
			}
		}
		if len(came) != 25 || most(came) != addsPerWindow {
			t.Errorf("%d adds, %d within a second", len(came), most(came))
		}
	})
}

// untraced is a transport that reports no events.
type untraced func(*http.Request) (*http.Response, error)

func (u untraced) RoundTrip(r *http.Request) (*http.Response, error) { return u(r) }

// TestA03_RenewedAddsArePacedToo sends a burst of adds with an expired token.
func TestA03_RenewedAddsArePacedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		u.set(func(r *http.Request) (response, error) {
			switch {
			case r.Method == http.MethodPut:
				time.Sleep(100 * time.Millisecond)
				if len(u.times(http.MethodPut)) == 1 {
					return reply(200, `{"auth_token":"stale"}`), nil
				}
				return reply(200, `{"auth_token":"good"}`), nil
			case r.Header.Get("X-Auth-Token") == "stale":
				return reply(401, ``), nil
			default:
				return well(r)
			}
		})
		a, err := New(audian.APIKey("key"), participant.Fingerprint{}, options(u))
		if err != nil {
			t.Fatal(err)
		}
		var running sync.WaitGroup
		for range 10 {
			running.Go(func() {
				if _, err := a.Add(t.Context(), "c", participant.Add{}, nothing); err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
		if got := u.times(http.MethodPost); len(got) != 20 || most(got) > addsPerWindow || len(u.times(http.MethodPut)) != 2 {
			t.Errorf("%d adds, %d within a second, %d exchanges", len(got), most(got), len(u.times(http.MethodPut)))
		}
	})
}

// TestA06_AnAddIsBounded uses an upstream that does not answer an add, or only refuses
// its first token.
func TestA06_AnAddIsBounded(t *testing.T) {
	tests := map[string]struct {
		credential audian.Credential
		refuses    time.Duration
		want       time.Duration
	}{
		"no answer":                  {audian.StaticToken("token"), 0, addTimeout},
		"no answer after a slow 401": {audian.APIKey("key"), time.Minute, sendTimeout},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{}
				u.set(func(r *http.Request) (response, error) {
					switch {
					case r.Method == http.MethodPut:
						return reply(200, fmt.Sprintf(`{"auth_token":"t%d"}`, len(u.times(http.MethodPut)))), nil
					case test.refuses > 0 && len(u.times(http.MethodPost)) == 1:
						time.Sleep(test.refuses)
						return reply(401, ``), nil
					default:
						return hang(r)
					}
				})
				a, err := New(test.credential, participant.Fingerprint{}, options(u))
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				_, err = a.Add(t.Context(), "c", participant.Add{}, nothing)
				if took := time.Since(began); err == nil || took != test.want {
					t.Errorf("ended after %v with %v, want %v", took, err, test.want)
				}
			})
		})
	}
}

func TestA06_AddIsSentOnce(t *testing.T) {
	for name, answer := range map[string]answer{
		"503": always(503, ``), "429": always(429, ``), "lost": refuse,
	} {
		u := &upstream{answer: answer}
		sent := 0
		_, err := account(t, u).Add(t.Context(), "c", participant.Add{}, func() { sent++ })
		if err == nil || len(u.times(http.MethodPost)) != 1 || sent != 1 {
			t.Errorf("%s: sent %d times, %v", name, len(u.times(http.MethodPost)), err)
		}
	}
}

// TestA03_AReleasedSlotIsFree releases slots before and after their grants.
func TestA03_AReleasedSlotIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		a := account(t, u)
		for n := range 3 * addsPerWindow {
			s, err := a.Reserve(t.Context(), "c", "")
			if err != nil {
				t.Fatal(err)
			}
			if n%2 == 0 {
				if err := s.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			s.Release()
			s.Release()
		}
		if held := len(a.pacer.grants); held != 0 || a.uses.Load() != 0 || len(u.times(http.MethodPost)) != 0 {
			t.Errorf("%d grants and %d uses are held, %d adds", held, a.uses.Load(), len(u.times(http.MethodPost)))
		}
	})
}

// TestA03_AKeyExchangeTakesNoGrant makes exchanges take longer than a window, at the
// first add and after each refused token.
func TestA03_AKeyExchangeTakesNoGrant(t *testing.T) {
	for name, expires := range map[string]int{"at first": 0, "each token serves some adds": 7} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{}
				u.set(slowExchange(u, expires))
				a, err := New(audian.APIKey("key"), participant.Fingerprint{}, options(u))
				if err != nil {
					t.Fatal(err)
				}
				var running sync.WaitGroup
				for range 25 {
					running.Go(func() { _, _ = a.Add(t.Context(), "c", participant.Add{}, nothing) })
				}
				running.Wait()
				if got := u.times(http.MethodPost); len(got) < 25 || most(got) > addsPerWindow {
					t.Errorf("%d adds, %d within a second", len(got), most(got))
				}
			})
		})
	}
}

// TestA03_ARenewalTakesNoGrant sends ten adds with an expired token, late in the window
// of their grants: their next grants come when that window ends.
func TestA03_ARenewalTakesNoGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		u.set(func(r *http.Request) (response, error) {
			switch {
			case r.Method == http.MethodPut:
				return reply(200, fmt.Sprintf(`{"auth_token":"token-%d"}`, len(u.times(http.MethodPut)))), nil
			case r.Header.Get("X-Auth-Token") == "token-1":
				time.Sleep(900 * time.Millisecond)
				return reply(401, `{"status":"error","error":"401","message":"expired"}`), nil
			default:
				return well(r)
			}
		})
		a, err := New(audian.APIKey("key"), participant.Fingerprint{}, options(u))
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var running sync.WaitGroup
		for range addsPerWindow {
			running.Go(func() {
				if _, err := a.Add(t.Context(), "c", participant.Add{}, nothing); err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
		posts := u.times(http.MethodPost)
		if last := posts[len(posts)-1].Sub(began); len(posts) != 2*addsPerWindow || last != addWindow {
			t.Errorf("%d adds, the last after %v", len(posts), last)
		}
	})
}

// slowExchange takes 1.5 s to exchange a key for a token that serves some adds; 0 is all.
func slowExchange(u *upstream, serves int) answer {
	var mu sync.Mutex
	served := map[string]int{}
	return func(r *http.Request) (response, error) {
		if r.Method == http.MethodPut {
			token := fmt.Sprintf(`{"auth_token":"token-%d"}`, len(u.times(http.MethodPut)))
			time.Sleep(1500 * time.Millisecond)
			return reply(200, token), nil
		}
		mu.Lock()
		defer mu.Unlock()
		token := r.Header.Get("X-Auth-Token")
		served[token]++
		if serves > 0 && served[token] > serves {
			return reply(401, `{"status":"error","error":"401","message":"expired"}`), nil
		}
		return well(r)
	}
}

// TestA01_WithoutACredentialNothingIsReserved makes the exchange of the key fail or hang.
func TestA01_WithoutACredentialNothingIsReserved(t *testing.T) {
	for name, answer := range map[string]answer{
		"refused": always(403, ``), "unavailable": always(503, ``), "hangs": hang,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{answer: answer}
				a, err := New(audian.APIKey("key"), participant.Fingerprint{}, options(u))
				if err != nil {
					t.Fatal(err)
				}
				if _, err = a.Reserve(t.Context(), "c", ""); !apiError(t, err).NotSent || a.uses.Load() != 0 || a.pacer.queue.len() != 0 {
					t.Errorf("%v; %d uses, %d wait", err, a.uses.Load(), a.pacer.queue.len())
				}
			})
		})
	}
}

func TestA06_ListsAreReadAgain(t *testing.T) {
	for name, test := range map[string]struct {
		answer answer
		reads  int
		atMost time.Duration
	}{
		"503":                  {always(503, ``), 3, time.Second},
		"408":                  {always(408, ``), 3, time.Second},
		"lost":                 {refuse, 3, time.Second},
		"429, soon over":       {always(429, ``, "Retry-After", "1"), 3, 4 * time.Second},
		"429, for long":        {always(429, ``, "Retry-After", "30"), 1, 0},
		"503, for long":        {always(503, ``, "Retry-After", "30"), 1, 0},
		"a redirect":           {always(302, ``), 1, 0},
		"not there":            {always(404, `{"success":false}`), 1, 0},
		"a proxy's 404":        {always(404, `<html>`), 3, time.Second},
		"not to be read":       {always(200, `<html>`), 1, 0},
		"the vendor's own 403": {always(403, `{"success":false}`), 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{answer: test.answer}
				began := time.Now()
				_, err := account(t, u).List(t.Context(), "c")
				if got := len(u.times(http.MethodGet)); err == nil || got != test.reads {
					t.Errorf("read %d times, %v", got, err)
				}
				if took := time.Since(began); took > test.atMost {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// TestA06_ListWaitsForSlowResponses uses an upstream that answers correctly but slowly:
// only the caller's deadline applies.
func TestA06_ListWaitsForSlowResponses(t *testing.T) {
	slowly := func(r *http.Request) (response, error) {
		select {
		case <-time.After(28 * time.Second):
			return well(r)
		case <-r.Context().Done():
			return response{}, r.Context().Err()
		}
	}
	for name, call := range map[string]func(context.Context, *Account) error{
		http.MethodGet:    func(ctx context.Context, a *Account) error { _, err := a.List(ctx, "c"); return err },
		http.MethodDelete: func(ctx context.Context, a *Account) error { return a.Remove(ctx, "c", "p") },
	} {
		for within, reason := range map[time.Duration]apierror.Reason{
			30 * time.Second: "", 20 * time.Second: apierror.DeadlineExceeded,
		} {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{answer: slowly}
				ctx, cancel := context.WithTimeout(t.Context(), within)
				defer cancel()
				err := call(ctx, account(t, u))
				if (err != nil || reason != "") && apierror.ReasonOf(err) != reason || len(u.times(name)) != 1 {
					t.Errorf("%s within %v: sent %d times, %v", name, within, len(u.times(name)), err)
				}
			})
		}
	}
}

func TestA06_ListRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{answer: always(503, ``)}
		time.AfterFunc(100*time.Millisecond, func() { u.set(nil) })
		list, err := account(t, u).List(t.Context(), "c")
		if err != nil || len(list.Items) != 1 {
			t.Errorf("got %+v, %v", list, err)
		}
	})
}

func TestA06_RetriesHaveABudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{answer: always(503, ``)}
		a := account(t, u)
		var running sync.WaitGroup
		for range 50 {
			running.Go(func() {
				if _, err := a.List(t.Context(), "c"); apiError(t, err).Reason != apierror.UpstreamUnavailable {
					t.Errorf("got %v", err)
				}
			})
		}
		running.Wait()
		if got := len(u.times(http.MethodGet)); got < 50 || got > 150 {
			t.Errorf("read %d times", got)
		}
	})
}

func TestA06_DeadlineBetweenRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{answer: always(503, ``)}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := account(t, u).List(ctx, "c")
		if apiError(t, err).Reason != apierror.UpstreamUnavailable || len(u.times(http.MethodGet)) != 1 {
			t.Errorf("read %d times, %v", len(u.times(http.MethodGet)), err)
		}
	})
}

func TestRemoveIsSentOnce(t *testing.T) {
	u := &upstream{}
	a := account(t, u)
	if err := a.Remove(t.Context(), "c", "p"); err != nil {
		t.Error(err)
	}
	u.set(always(503, ``))
	if err := a.Remove(t.Context(), "c", "p"); err == nil || len(u.times(http.MethodDelete)) != 2 {
		t.Errorf("sent %d times, %v", len(u.times(http.MethodDelete)), err)
	}
}

// TestA05_CredentialRefused follows the credential through a refusal and a renewal.
func TestA05_CredentialRefused(t *testing.T) {
	u := &upstream{}
	a, err := New(audian.APIKey("key"), participant.Fingerprint{}, options(u))
	if err != nil {
		t.Fatal(err)
	}
	refused := func(r *http.Request) (response, error) {
		if r.Method == http.MethodPut {
			return reply(200, `{"auth_token":"never-accepted"}`), nil
		}
		return reply(401, `{"error":"401","status":"error"}`), nil
	}
	for _, step := range []struct {
		name     string
		answer   answer
		accepted bool
	}{
		{"refused", refused, false},
		{"still refused", refused, false},
		{"no answer proves nothing", refuse, false},
		{"another refusal is an answer", always(404, `{"success":false}`), true},
		{"refused again", refused, false},
		{"so is that of a proxy", always(404, `<html>`), true},
		{"refused again", refused, false},
		{"and an outage", always(503, `<html>`), true},
		{"refused again", refused, false},
		{"and a success that cannot be read", always(204, `<html>`), true},
		{"refused again", refused, false},
		{"answered", func(r *http.Request) (response, error) {
			if r.Method == http.MethodPut {
				return reply(200, `{"auth_token":"accepted"}`), nil
			}
			return well(r)
		}, true},
	} {
		changed, before := a.CredentialChanged(), a.CredentialAccepted()
		u.set(step.answer)
		err := a.Remove(t.Context(), "c", "p")
		if a.CredentialAccepted() != step.accepted {
			t.Errorf("%s: accepted is %v after %v", step.name, a.CredentialAccepted(), err)
		}
		select {
		case <-changed:
			if before == step.accepted {
				t.Errorf("%s: notified without a change", step.name)
			}
		default:
			if before != step.accepted {
				t.Errorf("%s: not notified", step.name)
			}
		}
	}
}

func TestResultsArePassedOn(t *testing.T) {
	var results []audian.Result
	o := options(&upstream{})
	o.OnResult = func(_ context.Context, result audian.Result) { results = append(results, result) }
	a, err := New(audian.StaticToken("t"), participant.Fingerprint{7}, o)
	if err != nil || a.Fingerprint() != (participant.Fingerprint{7}) {
		t.Fatal(err)
	}
	if _, err := a.ListToReconcile(t.Context(), "c"); err != nil || len(results) != 1 || results[0].Operation != audian.List {
		t.Errorf("got %+v, %v", results, err)
	}
}
