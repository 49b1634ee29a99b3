package connectrpc_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/httpapi/httpapitest"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

func TestW16_StreamsEndWithTheirDetails(t *testing.T) {
	drained := &apierror.Error{Reason: apierror.Draining, Message: "draining", RetryAfter: 3 * time.Second}
	at := serve(t, streaming(drained, checkpoint("t1"), checkpoint("t2")))
	for name, options := range protocols {
		watching := client[v2.WatchParticipantsRequest, v2.WatchParticipantsResponse](t, at, watchPath, options...)
		stream, err := watching.CallServerStream(t.Context(), connect.NewRequest(&v2.WatchParticipantsRequest{ConferenceId: "c"}))
		if err != nil {
			t.Fatal(err)
		}
		var tokens []string
		for stream.Receive() {
			tokens = append(tokens, stream.Msg().GetResumeToken())
		}
		got := detailsOf(t, stream.Err())
		if strings.Join(tokens, " ") != "t1 t2" || got.code != connect.CodeUnavailable || got.info.GetReason() != "DRAINING" ||
			got.retry.GetRetryDelay().AsDuration() != 3*time.Second {
			t.Errorf("%s: %v, then %v: %+v", name, tokens, stream.Err(), got)
		}
	}
}

// A message's bytes are its other streams' too, and connect-go writes over what it takes
// for its own.
func TestW14_SharedBytesAreNotChanged(t *testing.T) {
	one, other := checkpoint(strings.Repeat("a", 2000)), checkpoint(strings.Repeat("b", 2000))
	at := serve(t, streaming(nil, one, other, one, other))
	want := map[*watch.Message][2][]byte{}
	for _, m := range []*watch.Message{one, other} {
		inProto, inJSON := encodings(t, m)
		want[m] = [2][]byte{bytes.Clone(inProto), bytes.Clone(inJSON)}
	}
	for _, options := range protocols {
		for range 3 {
			watching := client[v2.WatchParticipantsRequest, v2.WatchParticipantsResponse](t, at, watchPath, options...)
			stream, err := watching.CallServerStream(t.Context(), connect.NewRequest(&v2.WatchParticipantsRequest{}))
			if err != nil {
				t.Fatal(err)
			}
			for stream.Receive() {
			}
			if stream.Err() != nil {
				t.Error(stream.Err())
			}
		}
	}
	for m, bytesOf := range want {
		inProto, inJSON := encodings(t, m)
		if !bytes.Equal(inProto, bytesOf[0]) || !bytes.Equal(inJSON, bytesOf[1]) {
			t.Error("a message's bytes have changed")
		}
	}
}

func encodings(t *testing.T, m *watch.Message) (inProto, inJSON []byte) {
	t.Helper()
	inProto, err := wire.NewMessage(m).Proto()
	if err != nil {
		t.Fatal(err)
	}
	if inJSON, err = wire.NewMessage(m).ProtoJSON(); err != nil {
		t.Fatal(err)
	}
	return inProto, inJSON
}

// frame is a message in the framing of gRPC-Web and of Connect's streams.
func frame(message []byte) string {
	return string(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))) + string(message)
}

// The text form is that of grpc-web's own clients, whose streams need it.
func TestGRPCWebText(t *testing.T) {
	drained := &apierror.Error{Reason: apierror.Draining, Message: "draining", RetryAfter: time.Second}
	service := streaming(drained, checkpoint("t1"), checkpoint("t2"))
	var received *v2.WatchParticipantsRequest
	stream := service.watch
	service.watch = func(r *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
		received = r
		return stream(r, s)
	}
	at := serve(t, service)
	request, err := proto.Marshal(&v2.WatchParticipantsRequest{ConferenceId: "conf_1"})
	if err != nil {
		t.Fatal(err)
	}
	whole := frame(request)
	for name, body := range map[string]string{
		"at once":        base64.StdEncoding.EncodeToString([]byte(whole)),
		"piece by piece": base64.StdEncoding.EncodeToString([]byte(whole[:5])) + base64.StdEncoding.EncodeToString([]byte(whole[5:])),
	} {
		got := call(t, at, "POST", watchPath, body, "Content-Type: application/grpc-web-text+proto", "X-Grpc-Web: 1")
		if kind := got.Header.Get("Content-Type"); got.Status != 200 || kind != "application/grpc-web-text+proto" || received.GetConferenceId() != "conf_1" {
			t.Errorf("%s: response = %+v to %v", name, got, received)
		}
		messages, trailer := readText(t, got.Body)
		if len(messages) != 2 || messages[1].GetResumeToken() != "t2" || !strings.Contains(trailer, "grpc-status: 14") || !strings.Contains(trailer, "grpc-status-details-bin: ") {
			t.Errorf("%s: %v, then %q", name, messages, trailer)
		}
	}
	if got := call(t, at, "POST", watchPath, "*", "Content-Type: application/grpc-web-text"); got.Header.Get("Grpc-Status") != "3" ||
		got.Header.Get("Content-Type") != "application/grpc-web-text" {
		t.Errorf("no base64: %+v", got)
	}
}

// readText reads a response as grpc-web's clients do: padded pieces that contain frames.
func readText(t *testing.T, body string) (messages []*v2.WatchParticipantsResponse, trailer string) {
	t.Helper()
	var decoded []byte
	for body != "" {
		piece, err := base64.StdEncoding.DecodeString(body[:4])
		if err != nil {
			t.Fatalf("at %q: %v", body, err)
		}
		decoded, body = append(decoded, piece...), body[4:]
	}
	for len(decoded) >= 5 {
		flags, size := decoded[0], binary.BigEndian.Uint32(decoded[1:5])
		content := decoded[5 : 5+size]
		decoded = decoded[5+size:]
		if flags&0x80 != 0 {
			trailer = string(content)
			continue
		}
		m := &v2.WatchParticipantsResponse{}
		if err := proto.Unmarshal(content, m); err != nil {
			t.Fatal(err)
		}
		messages = append(messages, m)
	}
	return messages, trailer
}

// connected sends a request over an in-memory connection.
func connected(t *testing.T, handler http.Handler, request string) (conn net.Conn, stop func()) {
	t.Helper()
	listener, server := make(httpapitest.PipeListener), &http.Server{Handler: handler}
	go func() { _ = server.Serve(listener) }()
	conn, err := listener.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(conn, request) }()
	return conn, func() {
		conn.Close()
		close(listener)
		server.Close()
	}
}

const openWatch = "POST " + watchPath + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/connect+json\r\nContent-Length: 7\r\n\r\n\x00\x00\x00\x00\x02{}"

// The pause between two messages is longer than the deadlines of the body and of a write.
func TestStreamOutlivesTheDeadlines(t *testing.T) {
	service := newFake()
	service.watch = func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
		for _, token := range []string{"t1", "t2", "t3"} {
			time.Sleep(2 * time.Minute)
			if err := s.SendMsg(wire.NewMessage(checkpoint(token))); err != nil {
				return err
			}
		}
		return nil
	}
	for name, version := range map[string]func(*http.Protocols){
		"HTTP/1.1": func(p *http.Protocols) { p.SetHTTP1(true) },
		"HTTP/2":   func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				protocols := new(http.Protocols)
				version(protocols)
				listener, server := make(httpapitest.PipeListener), &http.Server{Handler: newPort(t, service), Protocols: protocols}
				go func() { _ = server.Serve(listener) }()
				transport := &http.Transport{Protocols: protocols, DialContext: listener.Dial}
				defer func() {
					transport.CloseIdleConnections()
					close(listener)
					server.Close()
				}()
				response, err := (&http.Client{Transport: transport}).Post("http://localhost"+watchPath, "application/connect+json", strings.NewReader(frame([]byte("{}"))))
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
				if read, err := io.ReadAll(response.Body); err != nil || !bytes.Contains(read, []byte("t3")) {
					t.Errorf("response = %q, %v", read, err)
				}
			})
		})
	}
}

// The handler must not wait for a blocked send after the service has returned.
func TestW12_ABlockedClientIsCut(t *testing.T) {
	for name, given := range map[string]time.Duration{"by the service": 2 * time.Second, "by the write": 2 * watch.SendTimeout} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, took, failed := time.Now(), make(chan time.Duration, 1), make(chan error, 1)
				service := newFake()
				service.watch = func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
					go func() { failed <- s.SendMsg(wire.NewMessage(checkpoint(strings.Repeat("x", 1<<20)))) }()
					time.Sleep(given)
					return &apierror.Error{Reason: apierror.ClientBlocked, Message: "blocked"}
				}
				handler := newPort(t, service)
				conn, stop := connected(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					handler.ServeHTTP(w, r)
					took <- time.Since(began)
				}), openWatch)
				defer stop()
				if after := <-took; after > given+time.Second {
					t.Errorf("the handler returned after %v", after)
				}
				failure, isOurs := errors.AsType[*apierror.Error](<-failed)
				if !isOurs || failure.Reason != apierror.ClientBlocked {
					t.Errorf("the send failed with %v", failure)
				}
				if _, err := io.Copy(io.Discard, conn); err != nil {
					t.Errorf("not closed: %v", err)
				}
			})
		})
	}
}

// The client reads a large message for ten minutes.
func TestW12_ASlowClientThatMakesProgressIsNotCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size, step = 320 << 10, 16 << 10
		var progress atomic.Int64
		service := newFake()
		service.watch = func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
			return s.SendMsg(wire.NewMessage(checkpoint(strings.Repeat("x", size))).OnProgress(func() { progress.Add(1) }))
		}
		conn, stop := connected(t, newPort(t, service), openWatch)
		defer stop()
		read := 0
		for read < size {
			n, err := io.CopyN(io.Discard, conn, step)
			read += int(n)
			if err != nil {
				break
			}
			time.Sleep(30 * time.Second)
		}
		if read < size || progress.Load() < size/step-1 {
			t.Errorf("read %d bytes, progress was reported %d times", read, progress.Load())
		}
	})
}

// Some line readers split text at these characters.
func TestConnectJSONIsOneLine(t *testing.T) {
	const lineBreaks = "a\u0085b\u2028c\u2029d"
	service := streaming(&apierror.Error{
		Reason: apierror.InvalidRequest, Message: lineBreaks, Violations: []apierror.Violation{{Field: lineBreaks, Message: lineBreaks}},
	}, checkpoint(lineBreaks))
	service.list = func(context.Context, *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
		return nil, &apierror.Error{Reason: apierror.UpstreamRefused, Message: lineBreaks, UpstreamRequestID: lineBreaks}
	}
	at := serve(t, service)
	for name, got := range map[string]httpapitest.Response{
		"success": call(t, at, "POST", addPath, `{"name":"a\u0085b\u2028c\u2029d"}`, isJSON),
		"error":   call(t, at, "POST", listPath, "{}", isJSON),
		"unknown": call(t, at, "POST", addPath, `{"`+lineBreaks+`":1}`, isJSON),
		"stream":  call(t, at, "POST", watchPath, frame([]byte("{}")), "Content-Type: application/connect+json"),
	} {
		if strings.ContainsAny(got.Body, "\u0085\u2028\u2029") || !strings.Contains(got.Body, "a") {
			t.Errorf("%s: %q", name, got.Body)
		}
	}
}

func TestBodyThatDoesNotArriveIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, stop := connected(t, newPort(t, newFake()),
			"POST "+addPath+" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{")
		defer stop()
		response := make([]byte, 4096)
		n, err := conn.Read(response)
		if err != nil || !strings.HasPrefix(string(response[:n]), "HTTP/1.1 504") || !strings.Contains(string(response[:n]), "BODY_TOO_SLOW") {
			t.Errorf("response = %q, %v", response[:n], err)
		}
	})
}

func TestDisconnectEndsTheStream(t *testing.T) {
	ended := make(chan error, 1)
	service := newFake()
	service.watch = func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
		if err := s.SendMsg(wire.NewMessage(checkpoint("t1"))); err != nil {
			return err
		}
		<-s.Context().Done()
		ended <- s.Context().Err()
		return s.Context().Err()
	}
	watching := client[v2.WatchParticipantsRequest, v2.WatchParticipantsResponse](t, serve(t, service), watchPath)
	ctx, leave := context.WithCancel(t.Context())
	stream, err := watching.CallServerStream(ctx, connect.NewRequest(&v2.WatchParticipantsRequest{}))
	if err != nil || !stream.Receive() {
		t.Fatal(err, stream.Err())
	}
	leave()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended by %v", err)
	}
}
