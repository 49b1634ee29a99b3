package audian

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/requestctx"
)

func TestRequestsAreTheVendors(t *testing.T) {
	john := participant.Add{PhoneNumber: "+12025551234", Name: "John", Role: participant.RolePresenter, Muted: true}
	bearer := func(o *Options) { o.Header = Bearer }
	add := func(c *Client) { _, _ = c.Add(t.Context(), "conf_1", john, Pacing{}) }
	for name, test := range map[string]struct {
		options    []func(*Options)
		call       func(*Client)
		line, body string
		header     http.Header
	}{
		"add": {
			call: add, line: "POST https://upstream.test:8443/v2/conferences/conf_1/participants",
			body: `{"phone_number":"+12025551234","name":"John","role":"presenter","muted":true}`,
			header: http.Header{
				"X-Auth-Token": {"static-token-1"}, "Content-Type": {"application/json"}, "Accept": {"application/json"},
				"User-Agent": {"participant-gateway"},
			},
		},
		"add what was given": {
			call: func(c *Client) {
				_, _ = c.Add(t.Context(), "c", participant.Add{PhoneNumber: "+1", SendPINViaSMS: true}, Pacing{})
			},
			line: "POST https://upstream.test:8443/v2/conferences/c/participants",
			body: `{"phone_number":"+1","send_pin_via_sms":true}`,
		},
		"as bearer": {
			options: []func(*Options){bearer}, call: add,
			line: "POST https://upstream.test:8443/v2/conferences/conf_1/participants",
			body: `{"phone_number":"+12025551234","name":"John","role":"presenter","muted":true}`,
			header: http.Header{
				"Authorization": {"Bearer static-token-1"}, "Content-Type": {"application/json"},
				"Accept": {"application/json"}, "User-Agent": {"participant-gateway"},
			},
		},
		"remove, escaped": {
			call: func(c *Client) { _ = c.Remove(t.Context(), "a/b", "p?1", Pacing{}) },
			line: "DELETE https://upstream.test:8443/v2/conferences/a%2Fb/participants/p%3F1",
		},
		"list, with the caller's ids": {
			call: func(c *Client) {
				caller, _ := requestctx.ParseTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
				ctx := trace.ContextWithRemoteSpanContext(requestctx.WithRequestID(t.Context(), "req-1"), caller)
				_, _ = c.List(ctx, "conf_1", Pacing{})
			},
			line: "GET https://upstream.test:8443/v2/conferences/conf_1/participants",
			header: http.Header{
				"X-Auth-Token": {"static-token-1"}, "Accept": {"application/json"}, "User-Agent": {"participant-gateway"},
				"X-Request-Id": {"req-1"}, "Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
			},
		},
		"an id that no header carries": {
			call: func(c *Client) {
				_, _ = c.List(requestctx.WithRequestID(t.Context(), "a\nb"), "conf_1", Pacing{})
			},
			line: "GET https://upstream.test:8443/v2/conferences/conf_1/participants",
			header: http.Header{
				"X-Auth-Token": {"static-token-1"}, "Accept": {"application/json"}, "User-Agent": {"participant-gateway"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			u := always(http.StatusOK, person)
			test.call(client(t, u, test.options...))
			r := u.requests[0]
			if got := r.Method + " " + r.URL.String(); got != test.line {
				t.Errorf("sent %s, want %s", got, test.line)
			}
			if r.body != test.body {
				t.Errorf("body %s, want %s", r.body, test.body)
			}
			for key := range test.header {
				if !slices.Equal(r.Header[key], test.header[key]) {
					t.Errorf("header %s: %v, want %v", key, r.Header[key], test.header[key])
				}
			}
			if test.header != nil && len(r.Header) != len(test.header) {
				t.Errorf("headers %v, want %v", r.Header, test.header)
			}
		})
	}
}

func TestNewRefusesWhatCannotBeSent(t *testing.T) {
	parse := func(s string) *url.URL { u, _ := url.Parse(s); return u }
	for name, o := range map[string]Options{
		"a line break in the token": {BaseURL: parse("https://h/v2"), Credential: StaticToken("a\nb")},
		"no URL":                    {},
		"no host":                   {BaseURL: parse("/v2")},
		"a credential in the URL":   {BaseURL: parse("https://u:p@h/v2")},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestA01_AddAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		reason apierror.Reason
		// refused is true if certainly nobody was dialled.
		refused bool
	}{
		"bare":                       {status: 200, body: person},
		"created":                    {status: 201, body: person},
		"wrapped":                    {status: 200, body: `{"data":` + person + `,"status":"success","auth_token":"s"}`},
		"no id":                      {200, `{"status":"dialing"}`, apierror.UpstreamUndecodable, false},
		"id of a wrong type":         {200, `{"id":7}`, apierror.UpstreamUndecodable, false},
		"no JSON":                    {200, `<html>`, apierror.UpstreamUndecodable, false},
		"cut JSON":                   {200, person[:40], apierror.UpstreamUndecodable, false},
		"empty":                      {200, ``, apierror.UpstreamUndecodable, false},
		"another success":            {status: 202, body: person},
		"a proxy's success":          {status: 203, body: person},
		"a success without a body":   {204, ``, apierror.UpstreamUndecodable, false},
		"no answer yet":              {101, ``, apierror.UpstreamUnavailable, false},
		"an error in a 200":          {200, `{"error":"409","message":"conflict","status":"error"}`, apierror.UpstreamConflict, true},
		"an error without a code":    {200, `{"message":"oops","status":"error"}`, apierror.UpstreamUnavailable, false},
		"redirect":                   {307, ``, apierror.UpstreamUnavailable, false},
		"400":                        {400, vendorError, apierror.UpstreamBadRequest, true},
		"400 of a proxy":             {400, `<html>`, apierror.UpstreamUnavailable, false},
		"401 of a proxy":             {401, `<html>`, apierror.UpstreamUnavailable, true},
		"407":                        {407, `<html>`, apierror.UpstreamUnavailable, true},
		"408":                        {408, ``, apierror.UpstreamTimeout, false},
		"408, in the vendor's words": {408, `{"error":"408","status":"error"}`, apierror.UpstreamTimeout, false},
		"421":                        {421, ``, apierror.UpstreamUnavailable, false},
		"421, in the vendor's words": {421, `{"error":"421","status":"error"}`, apierror.UpstreamUnavailable, true},
		"429":                        {429, ``, apierror.UpstreamRateLimited, true},
		"503":                        {503, ``, apierror.UpstreamUnavailable, false},
		"a status of our own making": {200, `{"id":"p","status":"error"}`, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			item, err := client(t, always(test.status, test.body)).Add(t.Context(), "conf_1", participant.Add{}, Pacing{})
			if test.reason == "" {
				if err != nil || item.ID == "" || item.ConferenceID != "conf_1" {
					t.Fatalf("got %+v, %v", item, err)
				}
				return
			}
			if e := apiError(t, err); e.Reason != test.reason || e.NotSent || (apierror.Classify(e) != apierror.Ambiguous) != test.refused {
				t.Errorf("got %s, status %d: %v", e.Reason, e.UpstreamStatus, err)
			}
		})
	}
}

// TestA01_TheStatusCountsWithoutItsBody stops responses in the middle of their bodies:
// the status of a failure decides soon.
func TestA01_TheStatusCountsWithoutItsBody(t *testing.T) {
	for status, test := range map[int]struct {
		reason apierror.Reason
		takes  time.Duration
	}{
		200: {apierror.UpstreamTimeout, time.Minute},
		302: {apierror.UpstreamUnavailable, errorBodyTimeout},
		404: {apierror.UpstreamUnavailable, errorBodyTimeout},
		408: {apierror.UpstreamTimeout, errorBodyTimeout},
		429: {apierror.UpstreamRateLimited, errorBodyTimeout},
		503: {apierror.UpstreamUnavailable, errorBodyTimeout},
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{answer: func(r *http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: status, ContentLength: 500, Body: newStuck(r.Context(), "{")}, nil
				}}
				began := time.Now()
				_, err := client(t, u).Add(t.Context(), "c", participant.Add{}, Pacing{Timeout: time.Minute})
				if e := apiError(t, err); e.Reason != test.reason || e.UpstreamStatus != status || time.Since(began) != test.takes {
					t.Errorf("after %v: %v", time.Since(began), err)
				}
			})
		})
	}
}

// TestA01_AnErrorBodyThatStopsIsCutOff does the same over a connection.
func TestA01_AnErrorBodyThatStopsIsCutOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "500")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte("{"))
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-r.Context().Done()
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	transport := NewTransport()
	defer transport.CloseIdleConnections()
	_, err := client(t, transport, at(t, server.URL)).Add(ctx, "c", participant.Add{}, Pacing{})
	if e := apiError(t, err); e.Reason != apierror.UpstreamRateLimited || ctx.Err() != nil {
		t.Errorf("got %v", err)
	}
}

// stuck is a body of which no more comes: its end is that of its request, or its Close.
type stuck struct {
	io.Reader

	request context.Context
	closed  chan struct{}
	close   func()
}

func newStuck(request context.Context, begin string) *stuck {
	s := &stuck{request: request, closed: make(chan struct{})}
	s.close = sync.OnceFunc(func() { close(s.closed) })
	s.Reader = io.MultiReader(strings.NewReader(begin), readerFunc(s.wait))
	return s
}

func (s *stuck) wait([]byte) (int, error) {
	select {
	case <-s.request.Done():
		return 0, s.request.Err()
	case <-s.closed:
		return 0, http.ErrBodyReadAfterClose
	}
}

func (s *stuck) Close() error {
	s.close()
	return nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestRemoveAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		reason apierror.Reason
	}{
		"204":              {204, "", ""},
		"200, empty":       {200, "", ""},
		"200, envelope":    {200, `{"data":{},"status":"success"}`, ""},
		"200, HTML":        {200, `<html>`, ""},
		"200, half":        {200, `{"data":`, ""},
		"201":              {201, `{}`, ""},
		"205":              {205, "", ""},
		"200, but error":   {200, `{"error":404,"status":"error"}`, apierror.ParticipantNotFound},
		"202":              {202, "", ""},
		"202, but error":   {202, `{"error":409,"status":"error"}`, apierror.UpstreamConflict},
		"404 of a proxy":   {404, `<html>`, apierror.UpstreamUnavailable},
		"404 of the other": {404, `{"error":"404","status":"error"}`, apierror.ParticipantNotFound},
	} {
		err := client(t, always(test.status, test.body)).Remove(t.Context(), "c", "p", Pacing{})
		switch {
		case test.reason == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.reason != "" && apiError(t, err).Reason != test.reason:
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRedirectsAreNeverFollowed(t *testing.T) {
	var followed bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	transport := NewTransport()
	defer transport.CloseIdleConnections()
	_, err := client(t, transport, at(t, server.URL)).List(t.Context(), "c", Pacing{})
	if e := apiError(t, err); followed || e.Reason != apierror.UpstreamUnavailable || e.UpstreamStatus != 307 {
		t.Errorf("followed %v, %v", followed, err)
	}
}

func at(t *testing.T, base string) func(*Options) {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	return func(o *Options) { o.BaseURL = u }
}

// TestA01_UnreachedRequestsAreMarked calls upstreams that no request can reach, and
// upstreams that read the request but do not answer it.
func TestA01_UnreachedRequestsAreMarked(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	untrusted.StartTLS()
	defer untrusted.Close()
	cut := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer cut.Close()
	half := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(person))
	}))
	defer half.Close()
	for name, test := range map[string]struct {
		base      string
		reason    apierror.Reason
		unreached bool
	}{
		"refused":         {closed.URL, apierror.UpstreamUnreachable, true},
		"no such host":    {"http://host.invalid", apierror.UpstreamUnreachable, true},
		"no TLS there":    {strings.Replace(plain.URL, "http:", "https:", 1), apierror.UpstreamUnreachable, true},
		"not trusted":     {untrusted.URL, apierror.UpstreamUnreachable, true},
		"cut":             {cut.URL, apierror.UpstreamUnavailable, false},
		"cut in the body": {half.URL, apierror.UpstreamUnavailable, false},
	} {
		t.Run(name, func(t *testing.T) {
			transport := NewTransport()
			defer transport.CloseIdleConnections()
			_, err := client(t, transport, at(t, test.base)).Add(t.Context(), "c", participant.Add{}, Pacing{})
			e := apiError(t, err)
			if e.Reason != test.reason || e.NotSent != test.unreached {
				t.Errorf("%s, unreached %v: %v", e.Reason, e.NotSent, err)
			}
		})
	}
}

func TestA01_UnreachedAfterConnectionsWereReused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(person)) }))
	transport := NewTransport()
	defer transport.CloseIdleConnections()
	c := client(t, transport, at(t, server.URL))
	for range 2 {
		if _, err := c.Add(t.Context(), "c", participant.Add{}, Pacing{}); err != nil {
			t.Fatal(err)
		}
	}
	server.Close()
	// The first may be lost with the connection that it was written to.
	_, _ = c.Add(t.Context(), "c", participant.Add{}, Pacing{})
	if _, err := c.Add(t.Context(), "c", participant.Add{}, Pacing{}); !apiError(t, err).NotSent {
		t.Errorf("not unreached: %v", err)
	}
}

func TestErrorsDecideWithoutATrace(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: net.UnknownNetworkError("x")}
	for _, test := range []struct {
		err       error
		unreached bool
	}{
		{refused, true}, {&net.DNSError{}, true}, {&net.OpError{Op: "read", Err: net.ErrClosed}, false},
	} {
		u := &upstream{answer: func(*http.Request) (*http.Response, error) { return nil, test.err }}
		_, err := client(t, u).List(t.Context(), "c", Pacing{})
		if apiError(t, err).NotSent != test.unreached {
			t.Errorf("%v: unreached is not %v", test.err, test.unreached)
		}
	}
}

func TestTimeoutsAndDeadlinesDiffer(t *testing.T) {
	stuck := &upstream{answer: func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}}
	c := client(t, stuck)
	deadline, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx    context.Context
		reason apierror.Reason
	}{
		"the request's":    {t.Context(), apierror.UpstreamTimeout},
		"the caller's":     {deadline, apierror.DeadlineExceeded},
		"the caller is no": {cancelled, apierror.Cancelled},
	} {
		_, err := c.List(test.ctx, "c", Pacing{Timeout: 10 * time.Millisecond})
		if e := apiError(t, err); e.Reason != test.reason {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestA01_AnEndedCallIsNotSent ends calls before they begin.
func TestA01_AnEndedCallIsNotSent(t *testing.T) {
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for ctx, reason := range map[context.Context]apierror.Reason{
		late: apierror.DeadlineExceeded, cancelled: apierror.Cancelled,
	} {
		u := always(200, person)
		_, err := client(t, u).Add(ctx, "c", participant.Add{}, Pacing{})
		if e := apiError(t, err); e.Reason != reason || !e.NotSent || len(u.requests) != 0 {
			t.Errorf("%d requests, %+v", len(u.requests), e)
		}
	}
}

func TestBodiesAreLimited(t *testing.T) {
	huge := `{"participants":[],"x":"` + strings.Repeat("x", maxBody) + `"}`
	_, err := client(t, always(200, huge)).List(t.Context(), "c", Pacing{})
	if e := apiError(t, err); e.Reason != apierror.UpstreamUndecodable {
		t.Errorf("got %v", err)
	}
	_, err = client(t, always(404, huge)).List(t.Context(), "c", Pacing{})
	if e := apiError(t, err); e.Reason != apierror.UpstreamUnavailable || e.FromUpstream {
		t.Errorf("got %v", err)
	}
}

func TestResultsAreReported(t *testing.T) {
	var results []Result
	u := always(200, `{"data":{"participants":[]},"tokens":{"consumed":1,"remaining":42},"status":"success"}`)
	c := client(t, u, func(o *Options) {
		o.OnResult = func(_ context.Context, result Result) { results = append(results, result) }
	})
	if _, err := c.List(t.Context(), "c", Pacing{}); err != nil {
		t.Fatal(err)
	}
	if len(results) != 1 || results[0].Operation != List || results[0].Status != 200 || *results[0].Remaining != 42 || results[0].Err != nil {
		t.Errorf("got %+v", results)
	}
}
