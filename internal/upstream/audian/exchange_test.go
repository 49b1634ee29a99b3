package audian

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// issuer is an upstream that exchanges keys, slowly, for tokens that it refuses on
// request.
type issuer struct {
	upstream

	lock   sync.Mutex
	issued int
	// valid is the token that is taken now.
	valid string
	// exchange replaces the answer to an exchange.
	exchange func() (*http.Response, error)
}

func newIssuer() *issuer {
	i := &issuer{}
	i.answer = i.serve
	return i
}

func (i *issuer) serve(r *http.Request) (*http.Response, error) {
	time.Sleep(100 * time.Millisecond)
	i.lock.Lock()
	defer i.lock.Unlock()
	switch {
	case r.Method == http.MethodPut && i.exchange != nil:
		return i.exchange()
	case r.Method == http.MethodPut:
		i.issued++
		i.valid = fmt.Sprintf("secret-token-%d", i.issued)
		return reply(200, `{"auth_token":"`+i.valid+`","data":{},"status":"success"}`), nil
	case r.Header.Get("X-Auth-Token") != i.valid:
		return reply(401, `{"error":"401","message":"invalid token `+r.Header.Get("X-Auth-Token")+`","status":"error"}`), nil
	case r.Method == http.MethodGet:
		return reply(200, `{"participants":[]}`), nil
	default:
		return reply(200, person), nil
	}
}

func (i *issuer) expire() {
	i.lock.Lock()
	defer i.lock.Unlock()
	i.valid = "none"
}

// together has many calls list at the same time.
func together(ctx context.Context, c *Client, calls int) (errs []error) {
	errs = make([]error, calls)
	var running sync.WaitGroup
	for n := range calls {
		running.Go(func() { _, errs[n] = c.List(ctx, "c", Pacing{}) })
	}
	running.Wait()
	return errs
}

func TestConcurrentCallsShareOneExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newIssuer()
		c := client(t, u, as(APIKey("the-api-key")))
		for round := 1; round <= 3; round++ {
			if err := errors.Join(together(t.Context(), c, 20)...); err != nil {
				t.Fatal(err)
			}
			if got := u.count(http.MethodPut); got != round {
				t.Fatalf("%d exchanges in round %d", got, round)
			}
			u.expire()
		}
		if got := u.requests[0]; got.URL.Path != "/v2/api_auth" || got.body != `{"data":{"api_key":"the-api-key"}}` || got.Header.Get("X-Auth-Token") != "" {
			t.Errorf("exchanged with %s %s %v", got.URL, got.body, got.Header)
		}
	})
}

func TestRenewedAddIsSentOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newIssuer()
		c := client(t, u, as(APIKey("key")))
		if _, err := c.List(t.Context(), "c", Pacing{}); err != nil {
			t.Fatal(err)
		}
		u.expire()
		asked := 0
		item, err := c.Add(t.Context(), "c", participant.Add{}, Pacing{Next: func(context.Context) error { asked++; return nil }})
		if err != nil || item.ID != "part_1" || u.count(http.MethodPost) != 2 || asked != 1 {
			t.Errorf("%v, %v, %d adds, asked %d times", item, err, u.count(http.MethodPost), asked)
		}
	})
}

func TestA05_RefusedAfterRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newIssuer()
		u.exchange = func() (*http.Response, error) {
			u.issued++
			return reply(200, fmt.Sprintf(`{"auth_token":"refused-anyway-%d","status":"success"}`, u.issued)), nil
		}
		var log bytes.Buffer
		c := client(t, u, as(APIKey("key")), func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		_, err := c.Add(t.Context(), "c", participant.Add{}, Pacing{})
		e := apiError(t, err)
		if e.Reason != apierror.CredentialRefused || e.UpstreamStatus != 401 || u.count(http.MethodPost) != 2 {
			t.Errorf("%d adds, %v", u.count(http.MethodPost), err)
		}
		if strings.Contains(err.Error()+log.String(), "refused-anyway") {
			t.Errorf("a token is told: %v %s", err, log.String())
		}
	})
}

// TestA05_RefusedInTheMiddle has the token expire, and the key be refused too.
func TestA05_RefusedInTheMiddle(t *testing.T) {
	for _, status := range []int{400, 401, 403} {
		synctest.Test(t, func(t *testing.T) {
			u := newIssuer()
			c := client(t, u, as(APIKey("key")))
			if _, err := c.List(t.Context(), "c", Pacing{}); err != nil {
				t.Fatal(err)
			}
			u.expire()
			u.exchange = func() (*http.Response, error) {
				return reply(status, `{"success":false}`, "Retry-After", "1"), nil
			}
			_, err := c.Add(t.Context(), "c", participant.Add{}, Pacing{})
			if e := apiError(t, err); e.Reason != apierror.CredentialRefused || e.UpstreamStatus != status || e.RetryAfter != 0 || e.FromUpstream {
				t.Errorf("%d: %v", status, err)
			}
			if u.count(http.MethodPut) != 2 || u.count(http.MethodPost) != 1 {
				t.Errorf("%d: %d exchanges, %d adds", status, u.count(http.MethodPut), u.count(http.MethodPost))
			}
		})
	}
}

func TestOtherCredentialsAreNotRenewed(t *testing.T) {
	for _, test := range []struct {
		credential Credential
		reason     apierror.Reason
	}{
		{StaticToken("static"), apierror.CredentialRefused},
		{CallerToken("caller"), apierror.UpstreamUnauthenticated},
	} {
		u := always(401, `{"error":"401","message":"no","status":"error"}`)
		_, err := client(t, u, as(test.credential)).Add(t.Context(), "c", participant.Add{}, Pacing{})
		if e := apiError(t, err); e.Reason != test.reason || e.UpstreamStatus != 401 || len(u.requests) != 1 {
			t.Errorf("%d requests, %v", len(u.requests), err)
		}
	}
}

func TestA05_FailedExchange(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		err    error
		reason apierror.Reason
	}{
		"refused":          {401, `{"error":"401","status":"error"}`, nil, apierror.CredentialRefused},
		"not found":        {404, `{"error":"404","status":"error"}`, nil, apierror.CredentialRefused},
		"limited":          {429, ``, nil, apierror.UpstreamRateLimited},
		"down":             {503, ``, nil, apierror.UpstreamUnavailable},
		"no token":         {200, `{"status":"success"}`, nil, apierror.UpstreamUndecodable},
		"a strange token":  {200, `{"auth_token":"a\nb"}`, nil, apierror.UpstreamUndecodable},
		"the network lost": {0, ``, errors.New("reset"), apierror.UpstreamUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := newIssuer()
				u.exchange = func() (*http.Response, error) {
					if test.err != nil {
						return nil, test.err
					}
					return reply(test.status, test.body), nil
				}
				c := client(t, u, as(APIKey("key")))
				var running sync.WaitGroup
				for range 3 {
					running.Go(func() {
						_, err := c.Add(t.Context(), "c", participant.Add{}, Pacing{})
						if e := apiError(t, err); e.Reason != test.reason || !e.NotSent || e.FromUpstream && e.UpstreamStatus == 404 {
							t.Errorf("got %v", err)
						}
					})
				}
				running.Wait()
				if u.count(http.MethodPut) != 1 || u.count(http.MethodPost) != 0 {
					t.Errorf("%d exchanges, %d adds", u.count(http.MethodPut), u.count(http.MethodPost))
				}
			})
		})
	}
}

func TestExchangeOutlivesItsFirstCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newIssuer()
		c := client(t, u, as(APIKey("key")))
		impatient, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := c.List(impatient, "c", Pacing{}); apiError(t, err).Reason != apierror.DeadlineExceeded {
			t.Errorf("got %v", err)
		}
		if _, err := c.List(t.Context(), "c", Pacing{}); err != nil || u.count(http.MethodPut) != 1 {
			t.Errorf("%d exchanges, %v", u.count(http.MethodPut), err)
		}
	})
}

func TestCredentialsAreRedacted(t *testing.T) {
	var log bytes.Buffer
	c := APIKey("the-secret")
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", slog.Any("credential", c))
	if shown := fmt.Sprintf("%v %+v %#v %s", c, c, c, &log); strings.Contains(shown, "the-secret") {
		t.Error(shown)
	}
}
