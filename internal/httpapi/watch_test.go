package httpapi

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

const acceptSSE = "Accept: text/event-stream"

// sending is a service that streams messages and then returns err.
func sending(err error, messages ...*watch.Message) *fake {
	return &fake{watch: func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
		for _, m := range messages {
			if err := s.SendMsg(wire.NewMessage(m)); err != nil {
				return err
			}
		}
		return err
	}}
}

func heartbeat(token string) *watch.Message {
	return &watch.Message{Token: token, Checkpoint: &watch.Checkpoint{PollInterval: time.Second}}
}

func heartbeatJSON(token string) string {
	return `{"resume_token":"` + token + `","checkpoint":{"freshness":"fresh","last_success_time":null,"stale_reason":"","total":null,"active":null,"participant_count":null,"poll_interval":"1s"}}`
}

const (
	endJSON     = `{"resume_token":"t9","end":{"reason":"conference_gone"}}`
	drainedJSON = `{"error":{"code":503,"status":"UNAVAILABLE","message":"draining","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"DRAINING","domain":"participant-gateway","metadata":{}},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retry_delay":"3s"}]}}`
	refusedJSON = `{"error":{"code":403,"status":"PERMISSION_DENIED","message":"withdrawn","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"UPSTREAM_FORBIDDEN","domain":"participant-gateway","metadata":{"upstream_status":"403"}}]}}`
)

func TestWatchStreams(t *testing.T) {
	gone := &watch.Message{Token: "t9", End: &watch.End{}}
	drained := &apierror.Error{Reason: apierror.Draining, Message: "draining", RetryAfter: 3 * time.Second}
	refused := &apierror.Error{Reason: apierror.UpstreamForbidden, Message: "withdrawn", UpstreamStatus: 403}
	for _, tt := range []struct {
		name        string
		service     *fake
		sse, ndjson string
	}{
		{
			"to the end", sending(nil, heartbeat("t1"), gone),
			"retry: 2001\nid: t1\nevent: checkpoint\ndata: " + heartbeatJSON("t1") + "\n\n" + "id: t9\nevent: end\ndata: " + endJSON + "\n\n",
			heartbeatJSON("t1") + "\n" + endJSON + "\n",
		},
		{
			"no token yet", sending(nil, heartbeat("")),
			"retry: 2001\nevent: checkpoint\ndata: " + heartbeatJSON("") + "\n\n",
			heartbeatJSON("") + "\n",
		},
		{
			"W16: drained", sending(drained, heartbeat("t1")),
			"retry: 2001\nid: t1\nevent: checkpoint\ndata: " + heartbeatJSON("t1") + "\n\n" + "retry: 3001\nevent: failure\ndata: " + drainedJSON + "\n\n",
			heartbeatJSON("t1") + "\n" + drainedJSON + "\n",
		},
		{
			"a failure that invites no retry", sending(refused, heartbeat("t1")),
			"retry: 2001\nid: t1\nevent: checkpoint\ndata: " + heartbeatJSON("t1") + "\n\n" + "event: failure\ndata: " + refusedJSON + "\n\n",
			heartbeatJSON("t1") + "\n" + refusedJSON + "\n",
		},
	} {
		for accept, want := range map[string]string{acceptSSE: tt.sse, "Accept: */*": tt.ndjson} {
			t.Run(tt.name+" "+accept, func(t *testing.T) {
				got := call(t, handler(t, tt.service), "GET", watchedPath, "", accept)
				if got.status != 200 || got.body != want {
					t.Errorf("answer = %d %q\nwant %q", got.status, got.body, want)
				}
				if got.header.Get("Cache-Control") != "no-store" || got.header.Get("X-Accel-Buffering") != "no" {
					t.Errorf("headers = %v", got.header)
				}
			})
		}
	}
}

func TestWatchFailsWithItsOwnStatusBeforeTheFirstMessage(t *testing.T) {
	refused := &apierror.Error{Reason: apierror.UpstreamForbidden, Message: "withdrawn", UpstreamStatus: 403}
	for _, accept := range []string{acceptSSE, "Accept: */*"} {
		got := call(t, handler(t, sending(refused)), "GET", watchedPath, "", accept)
		if got.status != 403 || got.body != refusedJSON || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("answer = %+v", got)
		}
	}
}

func TestWatchRefusesRequests(t *testing.T) {
	for query, field := range map[string]string{
		"?heartbeat_interval=5": "heartbeat_interval", "?access_token=x": "access_token", "?statuses=Held": "statuses", "?conference_id=other": "conference_id",
	} {
		got := call(t, handler(t, &fake{}), "GET", watchedPath+query, "", acceptSSE)
		if got.status != 400 || !strings.Contains(got.body, `"field":"`+field+`"`) {
			t.Errorf("%s: answer = %+v", query, got)
		}
	}
}

func TestWatchRequest(t *testing.T) {
	for _, tt := range []struct {
		name, query, lastEventID string
		want                     *v2.WatchParticipantsRequest
	}{
		{"bare", "", "", &v2.WatchParticipantsRequest{ConferenceId: "conf_1"}},
		{"token", "?resume_token=a", "", &v2.WatchParticipantsRequest{ConferenceId: "conf_1", ResumeToken: "a"}},
		{"Last-Event-ID beats it", "?resume_token=a", "b", &v2.WatchParticipantsRequest{ConferenceId: "conf_1", ResumeToken: "b"}},
		{
			"filters", "?heartbeat_interval=5s&roles=listener&participant_ids=p&statuses=held", "",
			&v2.WatchParticipantsRequest{
				ConferenceId: "conf_1", HeartbeatInterval: durationpb.New(5 * time.Second), ParticipantIds: []string{"p"},
				Roles:    []v2.ParticipantRole{v2.ParticipantRole_PARTICIPANT_ROLE_LISTENER},
				Statuses: []v2.ParticipantStatus{v2.ParticipantStatus_PARTICIPANT_STATUS_HELD},
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got *v2.WatchParticipantsRequest
			service := &fake{watch: func(r *v2.WatchParticipantsRequest, _ grpc.ServerStream) error {
				got = r
				return nil
			}}
			call(t, handler(t, service), "GET", watchedPath+tt.query, "", "Last-Event-ID: "+tt.lastEventID)
			if !proto.Equal(got, tt.want) {
				t.Errorf("request = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestHEADOnAWatchAnswersTheHeadersAtOnce(t *testing.T) {
	service := &fake{watch: func(*v2.WatchParticipantsRequest, grpc.ServerStream) error {
		t.Error("a stream was opened")
		return nil
	}}
	for accepted, want := range map[string]string{"text/event-stream": "text/event-stream", "*/*": "application/x-ndjson"} {
		got := call(t, handler(t, service), "HEAD", watchedPath, "", "Accept: "+accepted)
		if got.status != 200 || got.body != "" || got.header.Get("Content-Type") != want || got.header.Get("X-Accel-Buffering") != "no" {
			t.Errorf("%s: answer = %+v", accepted, got)
		}
	}
	if got := call(t, handler(t, service), "HEAD", watchedPath+"?statuses=nonsense", ""); got.status != 400 {
		t.Errorf("an unreadable filter: answer = %+v", got)
	}
	stranger := func(o *Options) {
		o.Precheck = func(context.Context, access.Presented, proto.Message) error {
			return &apierror.Error{Reason: apierror.CredentialMissing, Message: "no credential"}
		}
	}
	if got := call(t, handler(t, service, stranger), "HEAD", watchedPath, ""); got.status != 401 {
		t.Errorf("without a credential: answer = %+v", got)
	}
}

// TestW16_AnEndBeforeTheFirstMessageIsAnEvent: EventSource gives up for good on a 503.
func TestW16_AnEndBeforeTheFirstMessageIsAnEvent(t *testing.T) {
	drained := &apierror.Error{Reason: apierror.Draining, Message: "draining", RetryAfter: 3 * time.Second}
	aged := &apierror.Error{Reason: apierror.StreamAged, Message: "draining", RetryAfter: 3 * time.Second}
	for _, end := range []*apierror.Error{drained, aged} {
		body := strings.Replace(drainedJSON, "DRAINING", string(end.Reason), 1)
		for accepted, want := range map[string]string{
			acceptSSE: "retry: 3001\nevent: failure\ndata: " + body + "\n\n", "Accept: */*": body + "\n",
		} {
			// The service's interceptors make a status of its error.
			got := call(t, handler(t, sending(grpcstatus.From(end).Err())), "GET", watchedPath, "", accepted)
			if got.status != 200 || got.body != want || got.header.Get("Content-Type") == "application/json" {
				t.Errorf("answer = %+v\nwant %q", got, want)
			}
		}
	}
	overrun := &apierror.Error{Reason: apierror.TooManyStreams, Message: "too many", RetryAfter: time.Second}
	if got := call(t, handler(t, sending(overrun)), "GET", watchedPath, "", acceptSSE); got.status != 429 {
		t.Errorf("a refusal keeps its status: %+v", got)
	}
}

// pipes is a listener of synchronous connections, whose time is the bubble's.
type pipes struct{ accepted chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	conn, open := <-p.accepted
	if !open {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p.accepted <- server
	return client, nil
}

// serve serves in a bubble, with time limits as they suit unary calls.
func serve(t *testing.T, service *fake) (listener pipes, stop func()) {
	t.Helper()
	return serveWith(&http.Server{Handler: handler(t, service), ReadTimeout: 20 * time.Second, WriteTimeout: 20 * time.Second})
}

// serveHandler serves in a bubble as the gateway does.
func serveHandler(h http.Handler) (listener pipes, stop func()) {
	return serveWith(&http.Server{Handler: h})
}

func serveWith(server *http.Server) (listener pipes, stop func()) {
	listener = pipes{accepted: make(chan net.Conn)}
	server.ErrorLog, server.Protocols = slog.NewLogLogger(slog.DiscardHandler, 0), &http.Protocols{}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	go server.Serve(listener)
	return listener, func() {
		close(listener.accepted)
		server.Close()
		synctest.Wait()
	}
}

// watching opens an SSE watch in a bubble, whose client does not read yet.
func watching(t *testing.T, service *fake) (client net.Conn, stop func()) {
	t.Helper()
	listener, stopServing := serve(t, service)
	client, _ = listener.dial(t.Context(), "", "")
	if _, err := io.WriteString(client, "GET "+watchedPath+" HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	return client, func() {
		client.Close()
		stopServing()
	}
}

func TestW12_ABlockedClientIsCutAfter60Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var blocked atomic.Pointer[apierror.Error]
		start := time.Now()
		client, stop := watching(t, &fake{watch: func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
			err := s.SendMsg(wire.NewMessage(heartbeat("t1")))
			refused, _ := errors.AsType[*apierror.Error](err)
			blocked.Store(refused)
			return err
		}})
		defer stop()
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if blocked.Load() != nil {
			t.Fatalf("cut after %v", time.Since(start))
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if refused := blocked.Load(); refused == nil || refused.Reason != apierror.ClientBlocked {
			t.Fatalf("after %v: %v", time.Since(start), refused)
		}
		if rest, err := io.ReadAll(client); err != nil || len(rest) > 0 {
			t.Errorf("the client then reads %q, %v, want a bare close", rest, err)
		}
	})
}

func TestW16_ASendThatTheServiceGaveUpIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := make(chan error, 1)
		client, stop := watching(t, &fake{watch: func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
			go func() { sent <- s.SendMsg(wire.NewMessage(heartbeat("t1"))) }()
			time.Sleep(2 * time.Second)
			return &apierror.Error{Reason: apierror.Draining, Message: "draining"}
		}})
		defer stop()
		start := time.Now()
		if err := <-sent; err == nil || time.Since(start) > 2*time.Second {
			t.Errorf("the send ended with %v after %v", err, time.Since(start))
		}
		if rest, err := io.ReadAll(client); err != nil || len(rest) > 0 {
			t.Errorf("the client then reads %q, %v, want a bare close", rest, err)
		}
	})
}

// TestW12_ASlowClientThatMakesProgressIsNotCut reads a large message for ten minutes.
func TestW12_ASlowClientThatMakesProgressIsNotCut(t *testing.T) {
	large := heartbeat(strings.Repeat("x", 20*wire.PartSize))
	for name, set := range map[string]func(*http.Protocols, bool){
		"HTTP/1": (*http.Protocols).SetHTTP1, "HTTP/2": (*http.Protocols).SetUnencryptedHTTP2,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var progress atomic.Int64
				service := &fake{watch: func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
					return s.SendMsg(wire.NewMessage(large).OnProgress(func() { progress.Add(1) }))
				}}
				listener, stop := serve(t, service)
				defer stop()
				transport := &http.Transport{DialContext: listener.dialSlow, Protocols: &http.Protocols{}}
				set(transport.Protocols, true)
				defer transport.CloseIdleConnections()
				request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+watchedPath, http.NoBody)
				start := time.Now()
				response, err := transport.RoundTrip(request)
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
				body, err := io.ReadAll(response.Body)
				if err != nil || !strings.HasSuffix(string(body), "}\n") || len(body) < 20*wire.PartSize {
					t.Errorf("%d bytes, %v", len(body), err)
				}
				if took := time.Since(start); took < 5*time.Minute {
					t.Errorf("took %v: no slow client", took)
				}
				if progress.Load() < 20 {
					t.Errorf("progress was reported %d times", progress.Load())
				}
			})
		})
	}
}

// slowConn takes half a minute for each 16 KB that it reads.
type slowConn struct {
	net.Conn

	due *atomic.Int64
}

func (c slowConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.due.Add(int64(n)) >= wire.PartSize {
		c.due.Add(-wire.PartSize)
		time.Sleep(30 * time.Second)
	}
	return n, err
}

func (p pipes) dialSlow(ctx context.Context, network, address string) (net.Conn, error) {
	client, err := p.dial(ctx, network, address)
	return slowConn{client, new(atomic.Int64)}, err
}

func TestW16_AClientThatDoesNotReadTheFailureIsCutAfter2Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, stop := watching(t, sending(&apierror.Error{Reason: apierror.Draining, Message: "draining"}, heartbeat("t1")))
		defer stop()
		reader := bufio.NewReader(client)
		for line := ""; !strings.HasPrefix(line, "data:"); {
			var err error
			if line, err = reader.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(wire.LastTimeout + time.Second)
		synctest.Wait()
		if rest, err := io.ReadAll(reader); err != nil || strings.Contains(string(rest), "failure") {
			t.Errorf("the client then reads %q, %v, want a bare close", rest, err)
		}
	})
}

func TestW13_AStreamOutlivesTheServersTimeouts(t *testing.T) {
	service := &fake{watch: func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
		for _, token := range []string{"t1", "t2", "t3"} {
			if err := s.SendMsg(wire.NewMessage(heartbeat(token))); err != nil {
				return err
			}
			select {
			case <-time.After(wire.SendTimeout + time.Second):
			case <-s.Context().Done():
				return s.Context().Err()
			}
		}
		return nil
	}}
	for name, set := range map[string]func(*http.Protocols, bool){
		"HTTP/1": (*http.Protocols).SetHTTP1, "HTTP/2": (*http.Protocols).SetUnencryptedHTTP2,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				listener, stop := serve(t, service)
				defer stop()
				transport := &http.Transport{DialContext: listener.dial, Protocols: &http.Protocols{}}
				set(transport.Protocols, true)
				defer transport.CloseIdleConnections()
				request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+watchedPath, http.NoBody)
				response, err := transport.RoundTrip(request)
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
				body, err := io.ReadAll(response.Body)
				if lines := strings.Count(string(body), "\n"); err != nil || lines != 3 {
					t.Errorf("%d messages, %v: %q", lines, err, body)
				}
			})
		})
	}
}

func TestAClientThatLeavesCancelsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := make(chan error, 1)
		client, stop := watching(t, &fake{watch: func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
			<-s.Context().Done()
			left <- s.Context().Err()
			return s.Context().Err()
		}})
		defer stop()
		client.Close()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("the call ended with %v", err)
		}
	})
}

func TestMessagesAreFlushedAsTheyCome(t *testing.T) {
	proceed := make(chan struct{})
	server := httptest.NewServer(handler(t, &fake{watch: func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
		for _, token := range []string{"t1", "t2"} {
			if err := s.SendMsg(wire.NewMessage(heartbeat(token))); err != nil {
				return err
			}
			<-proceed
		}
		return nil
	}}))
	defer server.Close()
	response, err := server.Client().Get(server.URL + watchedPath)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for _, token := range []string{"t1", "t2"} {
		if !lines.Scan() || lines.Text() != heartbeatJSON(token) {
			t.Errorf("line = %q, %v", lines.Text(), lines.Err())
		}
		proceed <- struct{}{}
	}
	if lines.Scan() {
		t.Errorf("another line: %q", lines.Text())
	}
}
