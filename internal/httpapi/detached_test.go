package httpapi

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/detached"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

// fakeSource is the source of a detached stream that the test controls.
type fakeSource struct {
	mu       sync.Mutex
	messages []*watch.Message
	// err follows the messages; nil while more may come.
	err    error
	wakeAt time.Time
	askDue bool
	wake   func()
	closed atomic.Bool
	panics bool
	// panicsAtClose makes Close panic.
	panicsAtClose bool
}

func (s *fakeSource) Poll() (*wire.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.panics {
		panic("a mistake")
	}
	if len(s.messages) == 0 {
		return nil, s.err
	}
	first := s.messages[0]
	s.messages = s.messages[1:]
	return wire.NewMessage(first), nil
}

func (s *fakeSource) Idle() (wakeAt time.Time, askDue bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wakeAt, s.askDue
}

// Ask gets the message "asked".
func (s *fakeSource) Ask(context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.askDue, s.messages = false, append(s.messages, checkpoint("asked"))
}

func (s *fakeSource) Notify(wake func()) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wake = wake
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.wake = func() {}
	}
}

func (s *fakeSource) Close() {
	if s.panicsAtClose {
		panic("a mistake at the end")
	}
	s.closed.Store(true)
}

// change changes the source, and then wakes the stream.
func (s *fakeSource) change(change func()) {
	s.mu.Lock()
	change()
	wake := s.wake
	s.mu.Unlock()
	wake()
}

func (s *fakeSource) send(messages ...*watch.Message) {
	s.change(func() { s.messages = append(s.messages, messages...) })
}

// detachTo returns a service that detaches a stream after its first message. It sends the error with
// which the stream has ended.
func detachTo(source *fakeSource, first *watch.Message) (service *fakeService, ended <-chan error) {
	source.wakeAt = time.Now().Add(24 * time.Hour)
	end := make(chan error, 1)
	return &fakeService{watch: func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
		call := detached.FromContext(s.Context())
		call.AtEnd(func(err error) error {
			end <- err
			if err != nil {
				err = grpcstatus.From(err).Err()
			}
			return err
		})
		call.Detach(&detached.Stream{First: wire.NewMessage(first), Source: source})
		return nil
	}}, end
}

// detaching is streaming for a detached stream.
func detaching(err error, messages ...*watch.Message) *fakeService {
	service, _ := detachTo(&fakeSource{messages: messages[1:], err: cmp.Or(err, io.EOF)}, messages[0])
	return service
}

// detachedClient is the client of a detached stream.
type detachedClient struct {
	net.Conn

	source *fakeSource
	ended  <-chan error
	lines  *bufio.Reader
}

// openDetached opens a detached SSE watch whose client has not read yet.
func openDetached(t *testing.T, source *fakeSource, first *watch.Message) (client *detachedClient, stop func()) {
	t.Helper()
	service, ended := detachTo(source, first)
	conn, stop := openWatch(t, service)
	return &detachedClient{conn, source, ended, bufio.NewReader(conn)}, stop
}

// readTo reads to the data of a message with a token.
func (c *detachedClient) readTo(t *testing.T, token string) {
	t.Helper()
	for line := ""; !strings.HasPrefix(line, "data: ") || !strings.Contains(line, `"`+token+`"`); {
		var err error
		if line, err = c.lines.ReadString('\n'); err != nil {
			t.Fatalf("before %s: %v", token, err)
		}
	}
}

func TestDetachedStream_WritesWhatWakesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{}
		client, stop := openDetached(t, source, checkpoint("first"))
		defer stop()
		client.readTo(t, "first")
		synctest.Wait()
		source.send(checkpoint("changed"), checkpoint("too"))
		client.readTo(t, "too")
		synctest.Wait()
		source.change(func() { source.wakeAt = time.Now().Add(15 * time.Second) })
		source.mu.Lock()
		source.messages, source.wakeAt = append(source.messages, checkpoint("heartbeat")), time.Now().Add(time.Hour)
		source.mu.Unlock()
		start := time.Now()
		client.readTo(t, "heartbeat")
		if took := time.Since(start); took != 15*time.Second {
			t.Errorf("the timer fired after %v", took)
		}
		synctest.Wait()
		source.change(func() { source.askDue = true })
		client.readTo(t, "asked")
	})
}

func TestDetachedStream_EndsWithItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{}
		client, stop := openDetached(t, source, checkpoint("first"))
		defer stop()
		client.readTo(t, "first")
		if _, err := io.WriteString(client, "GET / HTTP/1.1\r\n\r\n"); err != nil { // It is not answered.
			t.Fatal(err)
		}
		start := time.Now()
		client.Close()
		if err := <-client.ended; !errors.Is(err, context.Canceled) || time.Since(start) > 0 {
			t.Errorf("ended after %v with %v", time.Since(start), err)
		}
		if !source.closed.Load() {
			t.Error("the source is open")
		}
	})
}

func TestDetachedStream_W12_ABlockedClientIsCutAfter60Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{}
		client, stop := openDetached(t, source, checkpoint("first"))
		defer stop()
		client.readTo(t, "first")
		synctest.Wait()
		start := time.Now()
		source.send(checkpoint("unread"))
		if err := <-client.ended; apierror.ReasonOf(err) != apierror.ClientBlocked || time.Since(start) != watch.SendTimeout {
			t.Errorf("ended after %v with %v", time.Since(start), err)
		}
		if rest, err := io.ReadAll(client.lines); err != nil || strings.Contains(string(rest), "0\r\n\r\n") {
			t.Errorf("the client then reads %q, %v, want a bare close", rest, err)
		}
	})
}

func TestDetachedStream_W12_ASlowClientThatMakesProgressIsNotCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{messages: []*watch.Message{checkpoint(strings.Repeat("x", 20*wire.PartSize)), checkpoint("last")}, err: io.EOF}
		client, stop := openDetached(t, source, checkpoint("first"))
		defer stop()
		start := time.Now()
		client.lines.Reset(slowConn{client.Conn, new(atomic.Int64)})
		client.readTo(t, "last")
		if err := <-client.ended; !errors.Is(err, io.EOF) && err != nil || time.Since(start) < 5*time.Minute {
			t.Errorf("ended after %v with %v", time.Since(start), err)
		}
	})
}

func TestDetachedStream_W16_ABlockedClientIsCutAfter2Seconds(t *testing.T) {
	for name, messages := range map[string][]*watch.Message{"the failure": nil, "a message": {checkpoint("unread")}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &fakeSource{}
				service, ended := detachTo(source, checkpoint("first"))
				under, calls := service.watch, make(chan *detached.Call, 1)
				service.watch = func(r *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
					calls <- detached.FromContext(s.Context())
					return under(r, s)
				}
				conn, stop := openWatch(t, service)
				defer stop()
				client := &detachedClient{conn, source, ended, bufio.NewReader(conn)}
				client.readTo(t, "first")
				synctest.Wait()
				source.send(messages...)
				drained := &apierror.Error{Reason: apierror.Draining, Message: "draining"}
				(<-calls).Cancel(drained)
				if err := <-ended; !errors.Is(err, drained) {
					t.Errorf("ended with %v", err)
				}
				time.Sleep(watch.LastSendTimeout)
				synctest.Wait()
				if rest, err := io.ReadAll(client.lines); err != nil || strings.Contains(string(rest), "0\r\n\r\n") {
					t.Errorf("the client then reads %q, %v, want a bare close", rest, err)
				}
			})
		})
	}
}

func TestDetachedStream_APanicEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := panics.Recovered()
		source := &fakeSource{}
		client, stop := openDetached(t, source, checkpoint("first"))
		defer stop()
		client.readTo(t, "first")
		synctest.Wait()
		source.change(func() { source.panics = true })
		if rest, err := io.ReadAll(client.lines); err != nil || !strings.Contains(string(rest), "event: failure") {
			t.Errorf("the client then reads %q, %v", rest, err)
		}
		if err := <-client.ended; err == nil || !strings.Contains(err.Error(), "panic") {
			t.Errorf("ended with %v", err)
		}
		if panics.Recovered() != before+1 {
			t.Error("the panic is not counted")
		}
	})
}

func TestDetachedStream_APanicAtItsEndEndsItAlone(t *testing.T) {
	ends := map[string]func(*fakeService, *fakeSource){
		"source": func(_ *fakeService, source *fakeSource) { source.panicsAtClose = true },
		"call": func(service *fakeService, _ *fakeSource) {
			detach := service.watch
			service.watch = func(request *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
				detached.FromContext(s.Context()).AtEnd(func(error) error { panic("a mistake at the end") })
				return detach(request, s)
			}
		},
	}
	for name, change := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				before := panics.Recovered()
				source := &fakeSource{err: io.EOF}
				service, _ := detachTo(source, checkpoint("first"))
				change(service, source)
				conn, stop := openWatch(t, service)
				defer stop()
				if all, err := io.ReadAll(conn); err != nil || !strings.Contains(string(all), "event: failure") {
					t.Errorf("the client reads %q, %v", all, err)
				}
				if panics.Recovered() != before+1 {
					t.Error("the panic is not counted")
				}
			})
		})
	}
}

// The client reads nothing until the socket takes no more, and then everything.
func TestDetachedStream_KeepsTheOrderOfAClientThatPauses(t *testing.T) {
	for name, start := range map[string]func(http.Handler) *httptest.Server{"plain": httptest.NewServer, "TLS": httptest.NewTLSServer} {
		t.Run(name, func(t *testing.T) {
			source := &fakeSource{}
			service, ended := detachTo(source, checkpoint("first"))
			server := start(handler(t, service))
			defer server.Close()
			response, err := server.Client().Get(server.URL + watchedPath)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			pauseAndRead(t, source, bufio.NewReader(response.Body))
			if err := <-ended; err != nil {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

func pauseAndRead(t *testing.T, source *fakeSource, lines *bufio.Reader) {
	t.Helper()
	if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, "first") {
		t.Fatalf("got %q, %v", line, err)
	}
	const count = 3000
	padding := strings.Repeat("x", 4<<10)
	for i := range count {
		source.send(checkpoint(fmt.Sprint(i, padding)))
	}
	source.change(func() { source.err = io.EOF })
	for i := range count {
		if line, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(line, fmt.Sprintf(`{"resume_token":"%dx`, i)) {
			t.Fatalf("message %d is %.40q, %v", i, line, err)
		}
	}
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("then %q, %v, want the end of the response", rest, err)
	}
}

func TestDetachedStream_HTTP10(t *testing.T) {
	server := httptest.NewServer(handler(t, detaching(nil, checkpoint("t1"), checkpoint("t2"))))
	defer server.Close()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET "+watchedPath+" HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(conn)
	head, body, _ := strings.Cut(string(all), "\r\n\r\n")
	if want := checkpointJSON("t1") + "\n" + checkpointJSON("t2") + "\n"; err != nil || body != want || !strings.Contains(head, "Connection: close") {
		t.Errorf("got %q, %v", all, err)
	}
}

// A client that shuts down its side only has disconnected, as for net/http. Sockets and descriptors are
// used again.
func TestDetachedStream_EndsWithTheSocketOfItsClient(t *testing.T) {
	for name, start := range map[string]func(http.Handler) *httptest.Server{"plain": httptest.NewServer, "TLS": httptest.NewTLSServer} {
		for how, disconnect := range map[string]func(*net.TCPConn) error{
			"close": (*net.TCPConn).Close,
			"half":  (*net.TCPConn).CloseWrite,
			"reset": func(conn *net.TCPConn) error { return errors.Join(conn.SetLinger(0), conn.Close()) },
		} {
			t.Run(name+" "+how, func(t *testing.T) {
				source := &fakeSource{}
				service, ended := detachTo(source, checkpoint("first"))
				server := start(handler(t, service))
				defer server.Close()
				for range 20 {
					disconnectFrom(t, server, disconnect)
					select {
					case err := <-ended:
						if !errors.Is(err, context.Canceled) {
							t.Fatalf("ended with %v", err)
						}
					case <-time.After(10 * time.Second):
						t.Fatal("the stream goes on")
					}
				}
			})
		}
	}
}

// disconnectFrom sends a second request with the one for a stream, reads the first message and disconnects.
func disconnectFrom(t *testing.T, server *httptest.Server, disconnect func(*net.TCPConn) error) {
	t.Helper()
	raw, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	conn := raw
	if transport, ok := server.Client().Transport.(*http.Transport); ok && server.TLS != nil {
		config := transport.TLSClientConfig.Clone()
		config.ServerName = "example.com"
		conn = tls.Client(raw, config)
	}
	request := "GET " + watchedPath + " HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
	if _, err := io.WriteString(conn, request+request); err != nil {
		t.Fatal(err)
	}
	client := &detachedClient{Conn: conn, lines: bufio.NewReader(conn)}
	client.readTo(t, "first")
	plain, _ := raw.(*net.TCPConn)
	if err := disconnect(plain); err != nil {
		t.Fatal(err)
	}
}
