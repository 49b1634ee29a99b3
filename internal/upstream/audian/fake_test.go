package audian

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/audian/participant-gateway/internal/apierror"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// upstream answers requests in place of the network, and keeps them.
type upstream struct {
	mu       sync.Mutex
	requests []seen
	answer   func(r *http.Request) (*http.Response, error)
}

// seen is one request with its body read.
type seen struct {
	*http.Request

	body string
}

func (u *upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		read, _ := io.ReadAll(r.Body)
		body = string(read)
	}
	u.mu.Lock()
	u.requests = append(u.requests, seen{r, body})
	u.mu.Unlock()
	return u.answer(r)
}

func (u *upstream) count(method string) (n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, r := range u.requests {
		if r.Method == method {
			n++
		}
	}
	return n
}

// reply is an answer with a status and a body.
func reply(status int, body string, header ...string) *http.Response {
	r := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// always answers every request alike.
func always(status int, body string, header ...string) *upstream {
	return &upstream{answer: func(*http.Request) (*http.Response, error) { return reply(status, body, header...), nil }}
}

// client is one of a fake upstream, with options changed.
func client(t *testing.T, u http.RoundTripper, change ...func(*Options)) *Client {
	t.Helper()
	base, err := url.Parse("https://upstream.test:8443/v2")
	if err != nil {
		t.Fatal(err)
	}
	options := Options{BaseURL: base, Credential: StaticToken("static-token-1"), Transport: u}
	for _, c := range change {
		c(&options)
	}
	c, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// as makes a client use a credential.
func as(c Credential) func(*Options) { return func(o *Options) { o.Credential = c } }

// apiError returns the apierror.Error in an error.
func apiError(t *testing.T, err error) *apierror.Error {
	t.Helper()
	e, ok := errors.AsType[*apierror.Error](err)
	if !ok {
		t.Fatalf("no apierror.Error in %v", err)
	}
	return e
}

const person = `{"id":"part_1","conference_id":"other","phone_number":"+12025551234","name":"John","role":"presenter",` +
	`"status":"dialing","muted":false,"duration":0,"joined_at":null,"created_at":"2024-02-04T11:15:00Z"}`
