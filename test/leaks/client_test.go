package leaks_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// client is a hostile client of a gateway. It searches every response for secrets.
type client struct {
	*process

	secrets *secretSet
	client  v2.ParticipantServiceClient
	web     *http.Client
	// callTimeout ends streams.
	callTimeout time.Duration

	mu sync.Mutex
	// searched counts the searched texts of each kind.
	searched map[string]int
}

func newClient(t *testing.T, l *secretSet, p *process) *client {
	t.Helper()
	conn, err := grpc.NewClient(p.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(func() {
		_ = conn.Close()
		transport.CloseIdleConnections()
	})
	return &client{
		process: p, secrets: l, client: v2.NewParticipantServiceClient(conn),
		web: &http.Client{Transport: transport}, callTimeout: 1500 * time.Millisecond,
		searched: map[string]int{},
	}
}

// credentials are request headers, each "Name: value".
type credentials []string

// call sends an HTTP request, bounded by callTimeout, and searches the response.
func (c *client) call(cred credentials, method, target, body string, headers ...string) {
	ctx, cancel := context.WithTimeout(c.t.Context(), c.callTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if err != nil {
		c.t.Errorf("%s %s: %v", method, target, err)
		return
	}
	for _, header := range append(cred, headers...) {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Add(name, value)
	}
	response, err := c.web.Do(request)
	if err != nil {
		return // The gateway waits for the upstream longer than callTimeout.
	}
	defer response.Body.Close()
	read, _ := io.ReadAll(response.Body)
	c.search(response, string(read))
}

// check searches a text, and counts it.
func (c *client) check(in outputKind, what, from, text string) {
	c.t.Helper()
	c.mu.Lock()
	c.searched[what]++
	c.mu.Unlock()
	c.secrets.check(c.t, in, what+" of "+from, text)
}

// search searches the headers and the body of a response. Successful responses may contain
// phone numbers, but their tokens and failure events may not.
func (c *client) search(response *http.Response, body string) {
	from := response.Request.Method + " " + response.Request.URL.Path
	c.check(public, "HTTP head", from, fmt.Sprint(response.Header))
	switch {
	case response.Request.URL.Host != c.http:
		c.check(public, "admin page", from, body)
		return
	case response.StatusCode >= http.StatusMultipleChoices:
		c.check(public, "HTTP public", from, body)
		return
	}
	c.check(success, "HTTP success", from, body)
	for line := range strings.Lines(body) {
		if strings.Contains(line, `"error":{`) {
			c.check(public, "failure event", from, line)
		}
		for part := range strings.SplitSeq(line, `"`) {
			if strings.HasPrefix(part, "pgw") || strings.HasPrefix(part, "pgl") {
				c.check(public, "token", from, decodedToken(part))
			}
		}
	}
}

// context returns the context of a gRPC call with credentials.
func (c *client) context(cred credentials) (context.Context, context.CancelFunc) {
	md := metadata.MD{}
	for _, header := range cred {
		name, value, _ := strings.Cut(header, ": ")
		md.Append(name, value)
	}
	return context.WithTimeout(metadata.NewOutgoingContext(c.t.Context(), md), c.callTimeout)
}

// checkResponse searches the response of a gRPC call.
func (c *client) checkResponse(from string, resp fmt.Stringer, err error, head, trail metadata.MD) {
	c.check(public, "metadata", from, fmt.Sprint(head, trail))
	if err != nil {
		c.check(public, "gRPC public", from, status.Convert(err).Proto().String())
		return
	}
	c.check(success, "gRPC success", from, resp.String())
	switch resp := resp.(type) {
	case *v2.WatchParticipantsResponse:
		c.check(public, "resume token", from, decodedToken(resp.GetResumeToken()))
	case *v2.ListParticipantsResponse:
		c.check(public, "page token", from, decodedToken(resp.GetNextPageToken()))
	}
}

// use sends every kind of call for a conference over every transport.
func (c *client) use(cred credentials, conference string) {
	path := c.url("/v2/conferences/" + conference + "/participants")
	add := func() *v2.AddParticipantRequest {
		return &v2.AddParticipantRequest{ConferenceId: conference, PhoneNumber: "+1" + c.secrets.number(), Name: c.secrets.name()}
	}
	connect := c.url("/audian.conference.v2.ParticipantService/")
	c.concurrently(
		func() {
			c.call(cred, "POST", connect+"ListParticipants", `{"conferenceId":"`+conference+`"}`, "Content-Type: application/json")
		},
		func() {
			c.call(cred, "POST", connect+"AddParticipant",
				`{"conferenceId":"`+conference+`","phoneNumber":"`+add().GetPhoneNumber()+`"}`, "Content-Type: application/json")
		},
		func() { c.call(cred, "GET", path+"?page_size=1", "") },
		func() { c.call(cred, "DELETE", path+"/part_1", "") },
		func() {
			c.call(cred, "POST", path, `{"phone_number":"`+add().GetPhoneNumber()+`","name":"`+c.secrets.name()+`"}`)
		},
		func() { c.call(cred, "GET", path+":watch", "", "Accept: text/event-stream") },
		func() { c.call(cred, "GET", path+":watch", "") },
		func() {
			ctx, cancel := c.context(cred)
			defer cancel()
			var head, trail metadata.MD
			resp, err := c.client.AddParticipant(ctx, add(), grpc.Header(&head), grpc.Trailer(&trail))
			c.checkResponse("AddParticipant", resp, err, head, trail)
		},
		func() {
			ctx, cancel := c.context(cred)
			defer cancel()
			var head, trail metadata.MD
			resp, err := c.client.ListParticipants(ctx, &v2.ListParticipantsRequest{ConferenceId: conference, PageSize: 1}, grpc.Header(&head), grpc.Trailer(&trail))
			c.checkResponse("ListParticipants", resp, err, head, trail)
		},
		func() { c.watch(cred, conference) },
	)
}

// watch reads a stream until it ends or callTimeout has passed.
func (c *client) watch(cred credentials, conference string) {
	ctx, cancel := c.context(cred)
	defer cancel()
	stream, err := c.client.WatchParticipants(ctx, &v2.WatchParticipantsRequest{ConferenceId: conference})
	for err == nil {
		var message *v2.WatchParticipantsResponse
		message, err = stream.Recv()
		if err == nil {
			c.checkResponse("WatchParticipants", message, nil, nil, nil)
		}
	}
	c.checkResponse("WatchParticipants", nil, err, nil, nil)
}

// sendInvalidRequests sends phone numbers and secrets in wrong places.
func (c *client) sendInvalidRequests(cred credentials) {
	path := c.url("/v2/conferences/conf_ok/participants")
	secret := c.secrets.secret("misplaced secret")
	var calls []func()
	for _, body := range c.invalidBodies(secret) {
		calls = append(calls, func() { c.call(cred, "POST", path, body) })
	}
	for _, target := range c.invalidTargets(secret) {
		calls = append(calls, func() { c.call(cred, "GET", path+target, "") }, func() { c.call(cred, "DELETE", path+target, "") })
	}
	for _, header := range []string{
		"Last-Event-ID", "Grpc-Timeout", "Accept", "Content-Type", "Origin", "Traceparent", "Cookie", "X-Forwarded-For",
	} {
		calls = append(calls,
			func() { c.call(cred, "POST", path, `{}`, header+": "+secret) },
			func() { c.call(cred, "GET", path+":watch", "", header+": "+secret) })
	}
	// The audit log has keys that have the form of a key.
	calls = append(calls, func() { c.call(cred, "POST", path, `{}`, "Idempotency-Key: "+secret+"é") })
	for _, ids := range [][2]string{
		{"+1" + c.secrets.number(), "part_1"}, {"conf_ok", formatted(c.secrets.number())}, {"conf_ok", "\x00" + secret},
	} {
		calls = append(calls, func() {
			ctx, cancel := c.context(cred)
			defer cancel()
			resp, err := c.client.RemoveParticipant(ctx, &v2.RemoveParticipantRequest{ConferenceId: ids[0], ParticipantId: ids[1]})
			c.checkResponse("RemoveParticipant", resp, err, nil, nil)
		})
	}
	c.concurrently(calls...)
}

// formatted returns a number of ten digits as people write it.
func formatted(number string) string {
	return "+1 (" + number[:3] + ") " + number[3:6] + "-" + number[6:]
}

// invalidBodies are invalid bodies of adds.
func (c *client) invalidBodies(secret string) []string {
	number := c.secrets.number
	return []string{
		`{"phone_number":"` + formatted(number()) + `"}`,
		`{"phone_number":"tel:+1` + number() + `"}`,
		`{"phone_number":1` + number() + `}`,
		`{"phone_number":["+1` + number() + `"]}`,
		`{"phone_number":"+1` + number() + `","role":"` + formatted(number()) + `"}`,
		`{"phone_number":"+1` + number() + `","muted":"` + secret + `"}`,
		`{"phone_number":"+1` + number() + `","name":"\u0007` + c.secrets.name() + `"}`,
		`{"phone_number":"+1` + number() + `", ` + secret,
		formatted(number()),
		`"` + secret + `"`,
	}
}

// invalidTargets are suffixes of the path of the participants.
func (c *client) invalidTargets(secret string) []string {
	return []string{
		"/" + url.PathEscape("+1"+c.secrets.number()), "/" + url.PathEscape(formatted(c.secrets.number())),
		"?token=" + secret, "?page_token=" + secret, "?statuses=" + secret, "?page_size=" + secret,
		":watch?resume_token=" + secret, ":watch?heartbeat_interval=" + secret, ":watch?access_token=" + secret,
	}
}

// readPages reads the admin endpoints and the web pages.
func (c *client) readPages() {
	for _, path := range []string{
		"/metrics", "/healthz", "/readyz", "/schema", "/schema/openapi.json", "/schema/service_config.json",
		"/conferences", "/conferences?format=html", "/conferences?format=" + c.secrets.number(), "/loglevel",
		"/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/symbol", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap?debug=1",
	} {
		c.call(nil, "GET", "http://"+c.admin+path, "")
	}
	for _, path := range []string{"/", "/docs", "/openapi.json", "/unknown"} {
		c.call(nil, "GET", c.url(path), "")
	}
}

func (c *client) url(path string) string { return "http://" + c.http + path }

// until repeats a function until a condition holds.
func (c *client) until(what string, condition func() bool, do func()) {
	c.t.Helper()
	for expired := time.Now().Add(timeout); !condition(); do() {
		if time.Now().After(expired) {
			c.t.Fatalf("never: %s", what)
		}
	}
}

// has reports whether a text of a kind was searched.
func (c *client) has(kind string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.searched[kind] > 0
}

// concurrently runs functions concurrently, and waits for all of them.
func (c *client) concurrently(calls ...func()) {
	var done sync.WaitGroup
	for _, call := range calls {
		done.Go(call)
	}
	done.Wait()
}
