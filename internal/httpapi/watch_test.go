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
	"regexp"
	"strconv"
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
	"github.com/audian/participant-gateway/internal/httpapi/httpapitest"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

const acceptSSE = "Accept: text/event-stream"

// streaming returns a service that streams messages and then returns err.
func streaming(err error, messages ...*watch.Message) *fakeService {
	return &fakeService{watch: func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
		for _, m := range messages {
			if err := s.SendMsg(wire.NewMessage(m)); err != nil {
				return err
			}
		}
		return err
	}}
}

func checkpoint(token string) *watch.Message {
	return &watch.Message{Token: token, Checkpoint: &watch.Checkpoint{PollInterval: time.Second}}
}

func checkpointJSON(token string) string {
	return `{"resume_token":"` + token + `","checkpoint":{"freshness":"fresh","last_success_time":null,"stale_reason":"","total":null,"active":null,"participant_count":null,"poll_interval":"1s"}}`
}

const (
	endJSON     = `{"resume_token":"t9","end":{"reason":"conference_gone"}}`
	drainedJSON = `{"error":{"code":503,"status":"UNAVAILABLE","message":"draining","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"DRAINING","domain":"participant-gateway","metadata":{}},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retry_delay":"3s"}]}}`
	refusedJSON = `{"error":{"code":403,"status":"PERMISSION_DENIED","message":"withdrawn","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"UPSTREAM_FORBIDDEN","domain":"participant-gateway","metadata":{"upstream_status":"403"}}]}}`
)

// retryField is the delay after which an EventSource reconnects.
var retryField = regexp.MustCompile(`(?m)^retry: (\d+)$`)

// sameEvents compares streams. A retry delay may be up to half longer than the expected one.
func sameEvents(got, want string) bool {
	expected := retryField.FindAllStringSubmatch(want, -1)
	for i, found := range retryField.FindAllStringSubmatch(got, -1) {
		if i >= len(expected) {
			return false
		}
		ms, _ := strconv.Atoi(found[1])
		least, _ := strconv.Atoi(expected[i][1])
		if ms < least || ms > least+least/2 {
			return false
		}
	}
	return retryField.ReplaceAllString(got, "") == retryField.ReplaceAllString(want, "")
}

func TestWatchStreams(t *testing.T) {
	gone := &watch.Message{Token: "t9", End: &watch.End{}}
	drained := &apierror.Error{Reason: apierror.Draining, Message: "draining", RetryAfter: 3 * time.Second}
	refused := &apierror.Error{Reason: apierror.UpstreamForbidden, Message: "withdrawn", UpstreamStatus: 403}
	for _, tt := range []struct {
		name        string
		messages    []*watch.Message
		err         error
		sse, ndjson string
	}{
		{
			"until the end",
			[]*watch.Message{checkpoint("t1"), gone},
			nil,
			"retry: 2000\nid: t1\nevent: checkpoint\ndata: " + checkpointJSON("t1") + "\n\n" + "id: t9\nevent: end\ndata: " + endJSON + "\n\n",
			checkpointJSON("t1") + "\n" + endJSON + "\n",
		},
		{
			"no token yet",
			[]*watch.Message{checkpoint("")},
			nil,
			"retry: 2000\nevent: checkpoint\ndata: " + checkpointJSON("") + "\n\n",
			checkpointJSON("") + "\n",
		},
		{
			"W16: drained",
			[]*watch.Message{checkpoint("t1")},
			drained,
			"retry: 2000\nid: t1\nevent: checkpoint\ndata: " + checkpointJSON("t1") + "\n\n" + "retry: 3000\nevent: failure\ndata: " + drainedJSON + "\n\n",
			checkpointJSON("t1") + "\n" + drainedJSON + "\n",
		},
		{
			"a failure without a retry delay",
			[]*watch.Message{checkpoint("t1")},
			refused,
			"retry: 2000\nid: t1\nevent: checkpoint\ndata: " + checkpointJSON("t1") + "\n\n" + "event: failure\ndata: " + refusedJSON + "\n\n",
			checkpointJSON("t1") + "\n" + refusedJSON + "\n",
		},
	} {
		for accept, want := range map[string]string{acceptSSE: tt.sse, "Accept: */*": tt.ndjson} {
			for way, service := range map[string]*fakeService{
				"attached": streaming(tt.err, tt.messages...), "detached": detaching(tt.err, tt.messages...),
			} {
				t.Run(tt.name+" "+accept+" "+way, func(t *testing.T) {
					got := call(t, handler(t, service), "GET", watchedPath, "", accept)
					if got.Status != 200 || !sameEvents(got.Body, want) {
						t.Errorf("response = %d %q\nwant %q", got.Status, got.Body, want)
					}
					if got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("X-Accel-Buffering") != "no" {
						t.Errorf("headers = %v", got.Header)
					}
				})
			}
		}
	}
}

func TestWatchFailsWithItsOwnStatusBeforeTheFirstMessage(t *testing.T) {
	refused := &apierror.Error{Reason: apierror.UpstreamForbidden, Message: "withdrawn", UpstreamStatus: 403}
	for _, accept := range []string{acceptSSE, "Accept: */*"} {
		got := call(t, handler(t, streaming(refused)), "GET", watchedPath, "", accept)
		if got.Status != 403 || got.Body != refusedJSON || got.Header.Get("Content-Type") != "application/json" {
			t.Errorf("response = %+v", got)
		}
	}
}

func TestWatchRefusesRequests(t *testing.T) {
	for query, field := range map[string]string{
		"?heartbeat_interval=5": "heartbeat_interval", "?access_token=x": "access_token", "?statuses=Held": "statuses", "?conference_id=other": "conference_id",
	} {
		got := call(t, handler(t, &fakeService{}), "GET", watchedPath+query, "", acceptSSE)
		if got.Status != 400 || !strings.Contains(got.Body, `"field":"`+field+`"`) {
			t.Errorf("%s: response = %+v", query, got)
		}
	}
}

func TestWatchRequest(t *testing.T) {
	for _, tt := range []struct {
		name, query, lastEventID string
		want                     *v2.WatchParticipantsRequest
	}{
		{"no query", "", "", &v2.WatchParticipantsRequest{ConferenceId: "conf_1"}},
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
			service := &fakeService{watch: func(r *v2.WatchParticipantsRequest, _ grpc.ServerStream) error {
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
	service := &fakeService{watch: func(*v2.WatchParticipantsRequest, grpc.ServerStream) error {
		t.Error("a stream was opened")
		return nil
	}}
	for accepted, want := range map[string]string{"text/event-stream": "text/event-stream", "*/*": "application/x-ndjson"} {
		got := call(t, handler(t, service), "HEAD", watchedPath, "", "Accept: "+accepted)
		if got.Status != 200 || got.Body != "" || got.Header.Get("Content-Type") != want || got.Header.Get("X-Accel-Buffering") != "no" {
			t.Errorf("%s: response = %+v", accepted, got)
		}
	}
	if got := call(t, handler(t, service), "HEAD", watchedPath+"?statuses=nonsense", ""); got.Status != 400 {
		t.Errorf("an invalid filter: response = %+v", got)
	}
	anonymous := func(o *Options) {
		o.Precheck = func(context.Context, access.Credentials, proto.Message) error {
			return &apierror.Error{Reason: apierror.CredentialMissing, Message: "no credential"}
		}
	}
	if got := call(t, handler(t, service, anonymous), "HEAD", watchedPath, ""); got.Status != 401 {
		t.Errorf("without a credential: response = %+v", got)
	}
}

// EventSource does not reconnect after a 503.
func TestW16_AnEndBeforeTheFirstMessageIsAnEvent(t *testing.T) {
	drained := &apierror.Error{Reason: apierror.Draining, Message: "draining", RetryAfter: 3 * time.Second}
	aged := &apierror.Error{Reason: apierror.StreamAged, Message: "draining", RetryAfter: 3 * time.Second}
	for _, end := range []*apierror.Error{drained, aged} {
		body := strings.Replace(drainedJSON, "DRAINING", string(end.Reason), 1)
		for accepted, want := range map[string]string{
			acceptSSE: "retry: 3000\nevent: failure\ndata: " + body + "\n\n", "Accept: */*": body + "\n",
		} {
			// The service's interceptors return a status.
			got := call(t, handler(t, streaming(grpcstatus.From(end).Err())), "GET", watchedPath, "", accepted)
			if got.Status != 200 || !sameEvents(got.Body, want) || got.Header.Get("Content-Type") == "application/json" {
				t.Errorf("response = %+v\nwant %q", got, want)
			}
		}
	}
	limited := &apierror.Error{Reason: apierror.TooManyStreams, Message: "too many", RetryAfter: time.Second}
	if got := call(t, handler(t, streaming(limited)), "GET", watchedPath, "", acceptSSE); got.Status != 429 {
		t.Errorf("another error: response = %+v", got)
	}
}

// serve starts a server whose time limits are shorter than a stream.
func serve(t *testing.T, service *fakeService) (listener httpapitest.PipeListener, stop func()) {
	t.Helper()
	return serveWith(&http.Server{Handler: handler(t, service), ReadTimeout: 20 * time.Second, WriteTimeout: 20 * time.Second})
}

// serveHandler starts a server without time limits, as the gateway's.
func serveHandler(h http.Handler) (listener httpapitest.PipeListener, stop func()) {
	return serveWith(&http.Server{Handler: h})
}

func serveWith(server *http.Server) (listener httpapitest.PipeListener, stop func()) {
	listener = make(httpapitest.PipeListener)
	server.ErrorLog, server.Protocols = slog.NewLogLogger(slog.DiscardHandler, 0), &http.Protocols{}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	go server.Serve(listener)
	return listener, func() {
		close(listener)
		server.Close()
		synctest.Wait()
	}
}

// openWatch opens an SSE watch whose client does not read yet.
func openWatch(t *testing.T, service *fakeService) (client net.Conn, stop func()) {
	t.Helper()
	listener, stopServing := serve(t, service)
	client, _ = listener.Dial(t.Context(), "", "")
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
		client, stop := openWatch(t, &fakeService{watch: func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
			err := s.SendMsg(wire.NewMessage(checkpoint("t1")))
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
			t.Errorf("the client then reads %q, %v, want the connection closed", rest, err)
		}
	})
}

func TestW16_ASendThatTheServiceGaveUpIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := make(chan error, 1)
		client, stop := openWatch(t, &fakeService{watch: func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
			go func() { sent <- s.SendMsg(wire.NewMessage(checkpoint("t1"))) }()
			time.Sleep(2 * time.Second)
			return &apierror.Error{Reason: apierror.Draining, Message: "draining"}
		}})
		defer stop()
		start := time.Now()
		if err := <-sent; err == nil || time.Since(start) > 2*time.Second {
			t.Errorf("the send ended with %v after %v", err, time.Since(start))
		}
		if rest, err := io.ReadAll(client); err != nil || len(rest) > 0 {
			t.Errorf("the client then reads %q, %v, want the connection closed", rest, err)
		}
	})
}

// TestW12_ASlowClientThatMakesProgressIsNotCut reads a large message for ten minutes.
func TestW12_ASlowClientThatMakesProgressIsNotCut(t *testing.T) {
	large := checkpoint(strings.Repeat("x", 20*wire.PartSize))
	for name, set := range map[string]func(*http.Protocols, bool){
		"HTTP/1": (*http.Protocols).SetHTTP1, "HTTP/2": (*http.Protocols).SetUnencryptedHTTP2,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var progress atomic.Int64
				service := &fakeService{watch: func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
					return s.SendMsg(wire.NewMessage(large).OnProgress(func() { progress.Add(1) }))
				}}
				listener, stop := serve(t, service)
				defer stop()
				transport := &http.Transport{DialContext: dialSlow(listener), Protocols: &http.Protocols{}}
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

// slowConn takes sendUnfinished a minute for each 16 KB that it reads.
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

// dialSlow connects a client that reads slowly.
func dialSlow(listener httpapitest.PipeListener) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		client, err := listener.Dial(ctx, network, address)
		return slowConn{client, new(atomic.Int64)}, err
	}
}

func TestW16_AClientThatDoesNotReadTheFailureIsCutAfter2Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, stop := openWatch(t, streaming(&apierror.Error{Reason: apierror.Draining, Message: "draining"}, checkpoint("t1")))
		defer stop()
		reader := bufio.NewReader(client)
		for line := ""; !strings.HasPrefix(line, "data:"); {
			var err error
			if line, err = reader.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(watch.LastSendTimeout + time.Second)
		synctest.Wait()
		if rest, err := io.ReadAll(reader); err != nil || strings.Contains(string(rest), "failure") {
			t.Errorf("the client then reads %q, %v, want the connection closed", rest, err)
		}
	})
}

func TestW13_AStreamOutlivesTheServersTimeouts(t *testing.T) {
	service := &fakeService{watch: func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
		for _, token := range []string{"t1", "t2", "t3"} {
			if err := s.SendMsg(wire.NewMessage(checkpoint(token))); err != nil {
				return err
			}
			select {
			case <-time.After(watch.SendTimeout + time.Second):
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
				transport := &http.Transport{DialContext: listener.Dial, Protocols: &http.Protocols{}}
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

func TestDisconnectCancelsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := make(chan error, 1)
		client, stop := openWatch(t, &fakeService{watch: func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
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

func TestEachMessageIsFlushed(t *testing.T) {
	proceed := make(chan struct{})
	server := httptest.NewServer(handler(t, &fakeService{watch: func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
		for _, token := range []string{"t1", "t2"} {
			if err := s.SendMsg(wire.NewMessage(checkpoint(token))); err != nil {
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
		if !lines.Scan() || lines.Text() != checkpointJSON(token) {
			t.Errorf("line = %q, %v", lines.Text(), lines.Err())
		}
		proceed <- struct{}{}
	}
	if lines.Scan() {
		t.Errorf("another line: %q", lines.Text())
	}
}
