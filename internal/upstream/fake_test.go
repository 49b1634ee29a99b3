package upstream

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// upstream answers requests in place of the network, and records their times.
type upstream struct {
	mu sync.Mutex
	// answer may be nil, which means that every request succeeds.
	answer answer
	came   map[string][]time.Time
	// ready is closed when connections are established; nil means at once.
	ready chan struct{}
}

// answer is how an upstream answers; an error is a connection that failed.
type answer func(r *http.Request) (response, error)

type response struct {
	status int
	body   string
	header http.Header
}

func (u *upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	if u.ready != nil {
		<-u.ready
	}
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.WroteHeaders != nil {
		trace.WroteHeaders()
	}
	u.mu.Lock()
	if u.came == nil {
		u.came = map[string][]time.Time{}
	}
	u.came[r.Method] = append(u.came[r.Method], time.Now())
	answer := u.answer
	u.mu.Unlock()
	if answer == nil {
		answer = well
	}
	a, err := answer(r)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

func (u *upstream) set(answer answer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answer = answer
}

func (u *upstream) times(method string) []time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.came[method]
}

// well answers every request with success.
func well(r *http.Request) (response, error) {
	switch r.Method {
	case http.MethodPost:
		return reply(200, `{"id":"part_1","status":"dialing"}`), nil
	case http.MethodDelete:
		return reply(204, ""), nil
	default:
		return reply(200, `{"participants":[{"id":"part_1"}],"total":1}`), nil
	}
}

// always answers every request alike.
func always(status int, body string, header ...string) answer {
	return func(*http.Request) (response, error) { return reply(status, body, header...), nil }
}

// refuse is a connection refused.
func refuse(*http.Request) (response, error) { return response{}, errors.New("refused") }

// hang answers nothing for as long as anybody waits.
func hang(r *http.Request) (response, error) {
	<-r.Context().Done()
	return response{}, r.Context().Err()
}

func reply(status int, body string, header ...string) response {
	r := response{status: status, header: http.Header{}, body: body}
	for i := 0; i < len(header); i += 2 {
		r.header.Set(header[i], header[i+1])
	}
	return r
}

func options(u http.RoundTripper) Options {
	return Options{BaseURL: &url.URL{Scheme: "https", Host: "upstream.test", Path: "/v2"}, Transport: u}
}

// account is one of a static token.
func account(t *testing.T, u http.RoundTripper) *Account {
	t.Helper()
	a, err := New(audian.StaticToken("token"), participant.Fingerprint{1}, options(u))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// apiError returns the apierror.Error in an error.
func apiError(t *testing.T, err error) *apierror.Error {
	t.Helper()
	e, ok := errors.AsType[*apierror.Error](err)
	if !ok {
		t.Fatalf("no apierror.Error in %v", err)
	}
	return e
}

// most is how many of the times fall into any one second.
func most(times []time.Time) (most int) {
	first := 0
	for i, at := range times {
		for at.Sub(times[first]) >= time.Second {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

func nothing() {}
