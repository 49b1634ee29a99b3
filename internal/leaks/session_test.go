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

// session is one hostile use of a gateway. What comes back is searched at once.
type session struct {
	t      *testing.T
	ledger *ledger
	*process

	client v2.ParticipantServiceClient
	web    *http.Client
	// bounded ends what streams.
	bounded time.Duration
}

func newSession(t *testing.T, l *ledger, p *process) *session {
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
	return &session{
		t: t, ledger: l, process: p, client: v2.NewParticipantServiceClient(conn),
		web: &http.Client{Transport: transport}, bounded: time.Second,
	}
}

// presented is how a caller shows credentials: headers, each "Name: value".
type presented []string

// call makes a request over HTTP until it ends or its time is over, and searches the
// answer.
func (s *session) call(who presented, method, target, body string, headers ...string) {
	ctx, cancel := context.WithTimeout(s.t.Context(), s.bounded)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if err != nil {
		s.t.Errorf("%s %s: %v", method, target, err)
		return
	}
	for _, header := range append(who, headers...) {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Add(name, value)
	}
	response, err := s.web.Do(request)
	if err != nil {
		return // The gateway waits for its upstream longer than this caller does.
	}
	defer response.Body.Close()
	read, _ := io.ReadAll(response.Body)
	s.search(response, string(read))
}

// search looks through an answer's head and body. What tells people about people may
// hold their numbers, but its tokens and its failures may not.
func (s *session) search(response *http.Response, body string) {
	from := response.Request.Method + " " + response.Request.URL.Path
	s.ledger.check(s.t, refusal, from, fmt.Sprint(response.Header))
	if response.StatusCode >= http.StatusMultipleChoices || response.Request.URL.Host != s.http {
		s.ledger.check(s.t, refusal, from, body)
		return
	}
	s.ledger.check(s.t, success, from, body)
	for line := range strings.Lines(body) {
		if strings.Contains(line, `"error":{`) {
			s.ledger.check(s.t, refusal, from, line)
		}
		for _, part := range strings.Split(line, `"`) {
			if strings.HasPrefix(part, "pgw") || strings.HasPrefix(part, "pgl") {
				s.ledger.check(s.t, refusal, "a token of "+from, opened(part))
			}
		}
	}
}

// context is a gRPC caller's, with its credentials and metadata.
func (s *session) context(who presented) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(s.t.Context(), s.bounded)
	for _, header := range who {
		name, value, _ := strings.Cut(header, ": ")
		ctx = metadata.AppendToOutgoingContext(ctx, strings.ToLower(name), value)
	}
	return ctx, cancel
}

// told searches what a gRPC call was answered with.
func (s *session) told(from string, answer fmt.Stringer, err error, head, trail metadata.MD) {
	s.ledger.check(s.t, refusal, from, fmt.Sprint(head, trail))
	if err != nil {
		s.ledger.check(s.t, refusal, from, fmt.Sprint(status.Convert(err).Proto()))
		return
	}
	s.ledger.check(s.t, success, from, answer.String())
	switch answer := answer.(type) {
	case *v2.WatchParticipantsResponse:
		s.ledger.check(s.t, refusal, "a resume token", opened(answer.GetResumeToken()))
	case *v2.ListParticipantsResponse:
		s.ledger.check(s.t, refusal, "a page token", opened(answer.GetNextPageToken()))
	}
}

// use makes every kind of call for a conference, by every door.
func (s *session) use(who presented, conference string) {
	path := "http://" + s.http + "/v2/conferences/" + conference + "/participants"
	add := func() *v2.AddParticipantRequest {
		return &v2.AddParticipantRequest{ConferenceId: conference, PhoneNumber: "+1" + s.ledger.number(), Name: s.ledger.name()}
	}
	s.together(
		func() { s.call(who, "GET", path+"?page_size=1", "") },
		func() { s.call(who, "DELETE", path+"/part_1", "") },
		func() {
			s.call(who, "POST", path, `{"phone_number":"`+add().GetPhoneNumber()+`","name":"`+s.ledger.name()+`"}`)
		},
		func() { s.call(who, "GET", path+":watch", "", "Accept: text/event-stream") },
		func() { s.call(who, "GET", path+":watch", "") },
		func() {
			ctx, cancel := s.context(who)
			defer cancel()
			var head, trail metadata.MD
			answer, err := s.client.AddParticipant(ctx, add(), grpc.Header(&head), grpc.Trailer(&trail))
			s.told("AddParticipant", answer, err, head, trail)
		},
		func() {
			ctx, cancel := s.context(who)
			defer cancel()
			var head, trail metadata.MD
			answer, err := s.client.ListParticipants(ctx, &v2.ListParticipantsRequest{ConferenceId: conference, PageSize: 1}, grpc.Header(&head), grpc.Trailer(&trail))
			s.told("ListParticipants", answer, err, head, trail)
		},
		func() { s.watch(who, conference) },
	)
}

// watch reads a stream to its end, or that of its time.
func (s *session) watch(who presented, conference string) {
	ctx, cancel := s.context(who)
	defer cancel()
	stream, err := s.client.WatchParticipants(ctx, &v2.WatchParticipantsRequest{ConferenceId: conference})
	for err == nil {
		var message *v2.WatchParticipantsResponse
		message, err = stream.Recv()
		if err == nil {
			s.told("WatchParticipants", message, nil, nil, nil)
		}
	}
	s.told("WatchParticipants", nil, err, nil, nil)
}

// blunder puts numbers and secrets where they do not belong.
func (s *session) blunder(who presented) {
	path := "http://" + s.http + "/v2/conferences/conf_ok/participants"
	secret, number := s.ledger.secret("secret in a wrong place"), s.ledger.number
	written := func() string { n := number(); return "+1 (" + n[:3] + ") " + n[3:6] + "-" + n[6:] }
	for _, body := range []string{
		`{"phone_number":"` + written() + `"}`,
		`{"phone_number":"tel:+1` + number() + `"}`,
		`{"phone_number":1` + number() + `}`,
		`{"phone_number":["+1` + number() + `"]}`,
		`{"phone_number":"+1` + number() + `","role":"` + written() + `"}`,
		`{"phone_number":"+1` + number() + `","muted":"` + secret + `"}`,
		`{"phone_number":"+1` + number() + `","name":"\u0007` + s.ledger.name() + `"}`,
		`{"phone_number":"+1` + number() + `", ` + secret,
		written(),
		`"` + secret + `"`,
	} {
		s.call(who, "POST", path, body)
	}
	for _, target := range []string{
		path + "/" + url.PathEscape("+1"+number()), path + "/" + url.PathEscape(written()),
		path + "?token=" + secret, path + "?page_token=" + secret, path + "?statuses=" + secret, path + "?page_size=" + secret,
		path + ":watch?resume_token=" + secret, path + ":watch?heartbeat_interval=" + secret, path + ":watch?access_token=" + secret,
	} {
		s.call(who, "GET", target, "")
		s.call(who, "DELETE", target, "")
	}
	for _, header := range []string{"Last-Event-ID", "Idempotency-Key", "Grpc-Timeout", "Accept", "Content-Type", "Origin", "Traceparent", "Cookie", "X-Forwarded-For"} {
		s.call(who, "POST", path, `{}`, header+": "+secret)
		s.call(who, "GET", path+":watch", "", header+": "+secret)
	}
	for _, ids := range [][2]string{{"+1" + number(), "part_1"}, {"conf_ok", written()}, {"conf_ok", "\x00" + secret}} {
		ctx, cancel := s.context(who)
		_, err := s.client.RemoveParticipant(ctx, &v2.RemoveParticipantRequest{ConferenceId: ids[0], ParticipantId: ids[1]})
		s.told("RemoveParticipant", nil, err, nil, nil)
		cancel()
	}
}

// look reads all that the gateway shows of itself.
func (s *session) look() {
	for _, path := range []string{
		"/metrics", "/healthz", "/readyz", "/schema", "/schema/openapi.json", "/schema/service_config.json",
		"/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/symbol", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap?debug=1",
	} {
		s.call(nil, "GET", "http://"+s.admin+path, "")
	}
	for _, path := range []string{"/", "/docs", "/openapi.json", "/nowhere"} {
		s.call(nil, "GET", s.page(path), "")
	}
}

func (s *session) page(path string) string { return "http://" + s.http + path }

// until does something until the log tells of it.
func (s *session) until(sign string, deed func()) {
	s.t.Helper()
	for late := time.Now().Add(patience); !strings.Contains(s.written.String(), sign); deed() {
		if time.Now().After(late) {
			s.t.Fatalf("the log never told of %q", sign)
		}
	}
}

// together does things at once, and waits for all.
func (s *session) together(deeds ...func()) {
	var done sync.WaitGroup
	for _, deed := range deeds {
		done.Go(deed)
	}
	done.Wait()
}
