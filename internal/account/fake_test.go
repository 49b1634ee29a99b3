package account

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/audian/participant-gateway/internal/audian"
	"github.com/audian/participant-gateway/internal/participant"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// upstream answers requests in place of the network, and keeps when they came.
type upstream struct {
	mu sync.Mutex
	// answer may be nil, which is an upstream where all is well.
	answer func(r *http.Request) (*http.Response, error)
	came   map[string][]time.Time
}

func (u *upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	u.mu.Lock()
	if u.came == nil {
		u.came = map[string][]time.Time{}
	}
	u.came[r.Method] = append(u.came[r.Method], time.Now())
	answer := u.answer
	u.mu.Unlock()
	if answer == nil {
		return well(r), nil
	}
	return answer(r)
}

func (u *upstream) set(answer func(r *http.Request) (*http.Response, error)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answer = answer
}

func (u *upstream) times(method string) []time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.came[method]
}

// well is the answer of an upstream where all is well.
func well(r *http.Request) *http.Response {
	switch r.Method {
	case http.MethodPost:
		return reply(200, `{"id":"part_1","status":"dialing"}`)
	case http.MethodDelete:
		return reply(204, "")
	default:
		return reply(200, `{"participants":[{"id":"part_1"}],"total":1}`)
	}
}

// always answers every request alike.
func always(status int, body string, header ...string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return reply(status, body, header...), nil }
}

// refuse is a connection refused.
func refuse(*http.Request) (*http.Response, error) { return nil, errors.New("refused") }

func reply(status int, body string, header ...string) *http.Response {
	r := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
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

// told is the participant.Error in an error.
func told(t *testing.T, err error) *participant.Error {
	t.Helper()
	e, ok := errors.AsType[*participant.Error](err)
	if !ok {
		t.Fatalf("no participant.Error in %v", err)
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
