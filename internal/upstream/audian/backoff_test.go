package audian

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// exchanges are when the upstream was asked to exchange a key, in seconds from the first.
func exchanges(at []time.Time) (seconds []int) {
	for _, t := range at {
		seconds = append(seconds, int(t.Sub(at[0]).Round(time.Second)/time.Second))
	}
	return seconds
}

// TestA06_RetriesOfARefusedKeyBackOff polls every second under a key that the upstream
// refuses: between two tries nothing is sent.
func TestA06_RetriesOfARefusedKeyBackOff(t *testing.T) {
	for _, body := range []string{`{"error":"401","status":"error"}`, `{"success":false}`} {
		synctest.Test(t, func(t *testing.T) {
			var asked []time.Time
			u := &upstream{answer: func(*http.Request) (*http.Response, error) {
				asked = append(asked, time.Now())
				return reply(403, body), nil
			}}
			c := client(t, u, as(APIKey("the-key")))
			for range 200 {
				_, err := c.List(t.Context(), "c", Pacing{})
				e := apiError(t, err)
				if e.Reason != apierror.CredentialRefused || e.UpstreamStatus != 403 || !e.NotSent || e.Dialled != "" {
					t.Fatalf("got %+v", e)
				}
				e.Dialled = apierror.DialledNo // Each call has its own copy of the error.
				time.Sleep(time.Second)
			}
			if got := exchanges(asked); !slices.Equal(got, []int{0, 1, 3, 7, 15, 31, 63, 123, 183}) {
				t.Errorf("asked at %v", got)
			}
			if u.count(http.MethodGet) != 0 {
				t.Errorf("%d lists were sent", u.count(http.MethodGet))
			}
		})
	}
}

// TestA06_AnAcceptedKeyResetsTheBackoff refuses a key, accepts it, and refuses it again
// when its token has expired.
func TestA06_AnAcceptedKeyResetsTheBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newIssuer()
		refuse := func() (*http.Response, error) { return reply(401, `{"success":false}`), nil }
		c := client(t, u, as(APIKey("the-key")))
		for round := range 3 {
			u.exchange = refuse
			u.expire()
			for range 3 { // The third fails without a request.
				if _, err := c.List(t.Context(), "c", Pacing{}); apiError(t, err).Reason != apierror.CredentialRefused {
					t.Errorf("round %d: %v", round, err)
				}
				time.Sleep(450 * time.Millisecond)
			}
			u.exchange = nil
			time.Sleep(time.Second)
			if _, err := c.List(t.Context(), "c", Pacing{}); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
			if got := u.count(http.MethodPut); got != 2*(round+1) {
				t.Errorf("round %d: %d exchanges", round, got)
			}
		}
	})
}

// TestA06_AnExchangeThatFailsOtherwiseIsTriedAtOnce makes the exchange fail with an
// outage, or at a proxy.
func TestA06_AnExchangeThatFailsOtherwiseIsTriedAtOnce(t *testing.T) {
	for name, answer := range map[string]*http.Response{
		"503": reply(503, `{"success":false}`), "HTML": reply(403, `<html>`), "407": reply(407, `{"success":false}`),
		"429": reply(429, `{"success":false}`), "408": reply(408, `{"success":false}`), "no token": reply(200, `{}`),
	} {
		t.Run(name, func(t *testing.T) {
			u := &upstream{answer: func(*http.Request) (*http.Response, error) { return answer, nil }}
			c := client(t, u, as(APIKey("the-key")))
			for range 3 {
				_, err := c.List(t.Context(), "c", Pacing{})
				if e := apiError(t, err); e.Reason == apierror.CredentialRefused || !e.NotSent {
					t.Errorf("got %+v", e)
				}
			}
			if got := u.count(http.MethodPut); got != 3 {
				t.Errorf("%d exchanges", got)
			}
		})
	}
}

// TestA06_RenewalsOfRefusedTokensBackOff exchanges the key, but refuses each token: the
// client continues to send lists, but exchanges the key less and less often.
func TestA06_RenewalsOfRefusedTokensBackOff(t *testing.T) {
	for name, test := range map[string]struct {
		body   string
		reason apierror.Reason
	}{
		"by the upstream": {`{"success":false}`, apierror.CredentialRefused},
		"by a proxy":      {`<html>`, apierror.UpstreamUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked []time.Time
				u := &upstream{answer: func(r *http.Request) (*http.Response, error) {
					if r.Method != http.MethodPut {
						return reply(401, test.body), nil
					}
					asked = append(asked, time.Now())
					return reply(200, fmt.Sprintf(`{"auth_token":"token-%d"}`, len(asked))), nil
				}}
				c := client(t, u, as(APIKey("the-key")))
				for range 20 {
					if _, err := c.List(t.Context(), "c", Pacing{}); apiError(t, err).Reason != test.reason {
						t.Fatalf("got %v", err)
					}
					time.Sleep(time.Second)
				}
				if got := exchanges(asked); !slices.Equal(got, []int{0, 0, 1, 3, 7, 15}) {
					t.Errorf("asked at %v", got)
				}
			})
		})
	}
}

// TestA06_ACallThatEndsDuringAnExchangeWasNotSent ends calls, by their deadline or by
// their caller, during a slow exchange of the key: for the first token, and for a renewed
// one.
func TestA06_ACallThatEndsDuringAnExchangeWasNotSent(t *testing.T) {
	for _, renewed := range []bool{false, true} {
		for cause, end := range map[error]func(context.Context) (context.Context, context.CancelFunc){
			context.DeadlineExceeded: func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, time.Second)
			},
			context.Canceled: func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(time.Second, cancel)
				return ctx, cancel
			},
		} {
			synctest.Test(t, func(t *testing.T) {
				u := newIssuer()
				c := client(t, u, as(APIKey("the-key")))
				if renewed {
					if _, err := c.List(t.Context(), "c", Pacing{}); err != nil {
						t.Fatal(err)
					}
					u.expire()
				}
				quick := u.answer
				u.answer = func(r *http.Request) (*http.Response, error) {
					if r.Method == http.MethodPut {
						time.Sleep(3 * time.Second)
					}
					return quick(r)
				}
				ctx, cancel := end(t.Context())
				defer cancel()
				_, err := c.Add(ctx, "c", participant.Add{}, Pacing{})
				want := map[error]apierror.Reason{
					context.DeadlineExceeded: apierror.DeadlineExceeded, context.Canceled: apierror.Cancelled,
				}[cause]
				if e := apiError(t, err); e.Reason != want || !e.NotSent || apierror.Classify(err) != apierror.NotSent {
					t.Errorf("renewed %v: %+v", renewed, e)
				}
				time.Sleep(5 * time.Second) // The exchange goes on for those who come later.
			})
		}
	}
}

// TestA06_APanicInAnExchangeFailsItAlone makes the transport panic once.
func TestA06_APanicInAnExchangeFailsItAlone(t *testing.T) {
	u := newIssuer()
	u.exchange = func() (*http.Response, error) { u.exchange = nil; panic("out of luck") }
	c, before := client(t, u, as(APIKey("the-key"))), panics.Recovered()
	if _, err := c.List(t.Context(), "c", Pacing{}); apiError(t, err).Reason != apierror.Internal || !apiError(t, err).NotSent {
		t.Errorf("got %v", err)
	}
	if counted := panics.Recovered() - before; counted != 1 {
		t.Errorf("%d panics counted", counted)
	}
	if _, err := c.List(t.Context(), "c", Pacing{}); err != nil {
		t.Error(err)
	}
}

// TestA03_AnExchangeIsNotTracedAsTheCall checks that the call's httptrace is only used for the
// call's own request.
func TestA03_AnExchangeIsNotTracedAsTheCall(t *testing.T) {
	traced := 0
	u := &upstream{}
	u.answer = func(r *http.Request) (*http.Response, error) {
		if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.WroteHeaders != nil {
			trace.WroteHeaders()
		}
		if r.Method == http.MethodPut {
			return reply(200, `{"auth_token":"token-1"}`), nil
		}
		return reply(200, person), nil
	}
	ctx := httptrace.WithClientTrace(requestctx.WithRequestID(t.Context(), "req-1"), &httptrace.ClientTrace{
		WroteHeaders: func() { traced++ },
	})
	if _, err := client(t, u, as(APIKey("the-key"))).Add(ctx, "c", participant.Add{}, Pacing{}); err != nil || traced != 1 {
		t.Errorf("traced %d requests, %v", traced, err)
	}
	if got := u.requests[0].Header.Get("X-Request-Id"); got != "req-1" {
		t.Errorf("the exchange has the request id %q", got)
	}
}
