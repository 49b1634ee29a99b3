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
	*process

	ledger *ledger
	client v2.ParticipantServiceClient
	web    *http.Client
	// bounded ends what streams.
	bounded time.Duration

	mu sync.Mutex
	// seen counts what was searched, by what it is.
	seen map[string]int
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
		process: p, ledger: l, client: v2.NewParticipantServiceClient(conn),
		web: &http.Client{Transport: transport}, bounded: 1500 * time.Millisecond,
		seen: map[string]int{},
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

// check searches something that came out, and counts it.
func (s *session) check(in where, what, from, text string) {
	s.t.Helper()
	s.mu.Lock()
	s.seen[what]++
	s.mu.Unlock()
	s.ledger.check(s.t, in, what+" of "+from, text)
}

// search looks through an answer's head and body. What tells people about people may
// hold their numbers, but its tokens and its failures may not.
func (s *session) search(response *http.Response, body string) {
	from := response.Request.Method + " " + response.Request.URL.Path
	s.check(refusal, "HTTP head", from, fmt.Sprint(response.Header))
	switch {
	case response.Request.URL.Host != s.http:
		s.check(refusal, "admin page", from, body)
		return
	case response.StatusCode >= http.StatusMultipleChoices:
		s.check(refusal, "HTTP refusal", from, body)
		return
	}
	s.check(success, "HTTP success", from, body)
	for line := range strings.Lines(body) {
		if strings.Contains(line, `"error":{`) {
			s.check(refusal, "failure event", from, line)
		}
		for part := range strings.SplitSeq(line, `"`) {
			if strings.HasPrefix(part, "pgw") || strings.HasPrefix(part, "pgl") {
				s.check(refusal, "token", from, opened(part))
			}
		}
	}
}

// context is a gRPC caller's, with its credentials and metadata.
func (s *session) context(who presented) (context.Context, context.CancelFunc) {
	shown := metadata.MD{}
	for _, header := range who {
		name, value, _ := strings.Cut(header, ": ")
		shown.Append(name, value)
	}
	return context.WithTimeout(metadata.NewOutgoingContext(s.t.Context(), shown), s.bounded)
}

// told searches what a gRPC call was answered with.
func (s *session) told(from string, answer fmt.Stringer, err error, head, trail metadata.MD) {
	s.check(refusal, "metadata", from, fmt.Sprint(head, trail))
	if err != nil {
		s.check(refusal, "gRPC refusal", from, status.Convert(err).Proto().String())
		return
	}
	s.check(success, "gRPC success", from, answer.String())
	switch answer := answer.(type) {
	case *v2.WatchParticipantsResponse:
		s.check(refusal, "resume token", from, opened(answer.GetResumeToken()))
	case *v2.ListParticipantsResponse:
		s.check(refusal, "page token", from, opened(answer.GetNextPageToken()))
	}
}

// use makes every kind of call for a conference, by every door.
func (s *session) use(who presented, conference string) {
	path := s.page("/v2/conferences/" + conference + "/participants")
	add := func() *v2.AddParticipantRequest {
		return &v2.AddParticipantRequest{ConferenceId: conference, PhoneNumber: "+1" + s.ledger.number(), Name: s.ledger.name()}
	}
	connect := s.page("/audian.conference.v2.ParticipantService/")
	s.together(
		func() {
			s.call(who, "POST", connect+"ListParticipants", `{"conferenceId":"`+conference+`"}`, "Content-Type: application/json")
		},
		func() {
			s.call(who, "POST", connect+"AddParticipant",
				`{"conferenceId":"`+conference+`","phoneNumber":"`+add().GetPhoneNumber()+`"}`, "Content-Type: application/json")
		},
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
	path := s.page("/v2/conferences/conf_ok/participants")
	secret := s.ledger.secret("secret in a wrong place")
	var deeds []func()
	for _, body := range s.wrongBodies(secret) {
		deeds = append(deeds, func() { s.call(who, "POST", path, body) })
	}
	for _, target := range s.wrongTargets(secret) {
		deeds = append(deeds, func() { s.call(who, "GET", path+target, "") }, func() { s.call(who, "DELETE", path+target, "") })
	}
	for _, header := range []string{
		"Last-Event-ID", "Idempotency-Key", "Grpc-Timeout", "Accept", "Content-Type", "Origin", "Traceparent", "Cookie", "X-Forwarded-For",
	} {
		deeds = append(deeds,
			func() { s.call(who, "POST", path, `{}`, header+": "+secret) },
			func() { s.call(who, "GET", path+":watch", "", header+": "+secret) })
	}
	for _, ids := range [][2]string{
		{"+1" + s.ledger.number(), "part_1"}, {"conf_ok", written(s.ledger.number())}, {"conf_ok", "\x00" + secret},
	} {
		deeds = append(deeds, func() {
			ctx, cancel := s.context(who)
			defer cancel()
			answer, err := s.client.RemoveParticipant(ctx, &v2.RemoveParticipantRequest{ConferenceId: ids[0], ParticipantId: ids[1]})
			s.told("RemoveParticipant", answer, err, nil, nil)
		})
	}
	s.together(deeds...)
}

// written is a number of ten digits as people write it.
func written(number string) string {
	return "+1 (" + number[:3] + ") " + number[3:6] + "-" + number[6:]
}

// wrongBodies are of adds that nobody should send.
func (s *session) wrongBodies(secret string) []string {
	number := s.ledger.number
	return []string{
		`{"phone_number":"` + written(number()) + `"}`,
		`{"phone_number":"tel:+1` + number() + `"}`,
		`{"phone_number":1` + number() + `}`,
		`{"phone_number":["+1` + number() + `"]}`,
		`{"phone_number":"+1` + number() + `","role":"` + written(number()) + `"}`,
		`{"phone_number":"+1` + number() + `","muted":"` + secret + `"}`,
		`{"phone_number":"+1` + number() + `","name":"\u0007` + s.ledger.name() + `"}`,
		`{"phone_number":"+1` + number() + `", ` + secret,
		written(number()),
		`"` + secret + `"`,
	}
}

// wrongTargets are what follows the path of the participants.
func (s *session) wrongTargets(secret string) []string {
	return []string{
		"/" + url.PathEscape("+1"+s.ledger.number()), "/" + url.PathEscape(written(s.ledger.number())),
		"?token=" + secret, "?page_token=" + secret, "?statuses=" + secret, "?page_size=" + secret,
		":watch?resume_token=" + secret, ":watch?heartbeat_interval=" + secret, ":watch?access_token=" + secret,
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

// until does something until it has come to something.
func (s *session) until(what string, come func() bool, deed func()) {
	s.t.Helper()
	for late := time.Now().Add(patience); !come(); deed() {
		if time.Now().After(late) {
			s.t.Fatalf("never: %s", what)
		}
	}
}

// has says whether something of a kind was searched.
func (s *session) has(kind string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[kind] > 0
}

// together does things at once, and waits for all.
func (s *session) together(deeds ...func()) {
	var done sync.WaitGroup
	for _, deed := range deeds {
		done.Go(deed)
	}
	done.Wait()
}
