package httpapi

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/httpapi/httpapitest"
	"github.com/audian/participant-gateway/internal/wire"
)

// bodyTimeout is how long a body may pause.
const bodyTimeout = 10 * time.Second

// sendUnfinished sends the start of a request over a new connection. It returns the
// response, its body, and how long it took.
func sendUnfinished(t *testing.T, listener httpapitest.PipeListener, request string) (*http.Response, string, time.Duration) {
	t.Helper()
	client, _ := listener.Dial(t.Context(), "", "")
	defer client.Close()
	start := time.Now()
	if _, err := io.WriteString(client, request); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		t.Fatalf("after %v: %v", time.Since(start), err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(read), time.Since(start)
}

func TestBodyThatDoesNotArriveIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refused []apierror.Reason
		listener, stop := serveHandler(handler(t, newFake(t), func(options *Options) {
			options.OnRefused = func(reason apierror.Reason) { refused = append(refused, reason) }
		}))
		defer stop()
		got, body, after := sendUnfinished(t, listener, "POST "+participantsPath+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
		if got.StatusCode != http.StatusGatewayTimeout || after != bodyTimeout || !got.Close {
			t.Errorf("after %v: %s, close: %v", after, got.Status, got.Close)
		}
		for _, want := range []string{`"reason":"BODY_TOO_SLOW"`, `"status":"DEADLINE_EXCEEDED"`, `"dialled":"no"`} {
			if !strings.Contains(body, want) {
				t.Errorf("the body does not contain %s: %s", want, body)
			}
		}
		if len(refused) != 1 || refused[0] != apierror.BodyTooSlow {
			t.Errorf("counted %v", refused)
		}
	})
}

func TestUnreadBodyDoesNotDelayTheResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener, stop := serve(t, newFake(t))
		defer stop()
		got, _, after := sendUnfinished(t, listener, "DELETE "+onePath+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
		if got.StatusCode != http.StatusNoContent || after > bodyTimeout {
			t.Errorf("after %v: %s", after, got.Status)
		}
	})
}

// slowBody is a body that arrives in pieces, with a pause before each.
type slowBody struct {
	pieces []string
	pause  time.Duration
}

func (s *slowBody) Read(p []byte) (int, error) {
	if len(s.pieces) == 0 {
		return 0, io.EOF
	}
	time.Sleep(s.pause)
	n := copy(p, s.pieces[0])
	s.pieces = s.pieces[1:]
	return n, nil
}

func TestBodyDeadlineDoesNotEndTheCall(t *testing.T) {
	service := newFake(t)
	service.add = func(ctx context.Context, _ *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
		select {
		case <-time.After(time.Minute):
			return &v2.AddParticipantResponse{Participant: &v2.Participant{Id: "part_1"}}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	for name, set := range map[string]func(*http.Protocols, bool){
		"HTTP/1": (*http.Protocols).SetHTTP1, "HTTP/2": (*http.Protocols).SetUnencryptedHTTP2,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				listener, stop := serveHandler(handler(t, service))
				defer stop()
				transport := &http.Transport{DialContext: listener.Dial, Protocols: &http.Protocols{}}
				set(transport.Protocols, true)
				defer transport.CloseIdleConnections()
				for range 2 { // The second call reuses the connection.
					body := &slowBody{pieces: []string{`{"phone_number":`, `"+12025550123"}`}, pause: 4 * time.Second}
					request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost"+participantsPath, body)
					response, err := transport.RoundTrip(request)
					if err != nil {
						t.Fatal(err)
					}
					if _, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
						t.Errorf("%s, %v", response.Status, err)
					}
					response.Body.Close()
				}
			})
		})
	}
}

func TestUnreadBodyDoesNotEndAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &fakeService{watch: func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
			if err := s.SendMsg(wire.NewMessage(checkpoint("t1"))); err != nil {
				return err
			}
			time.Sleep(time.Minute)
			return s.SendMsg(wire.NewMessage(checkpoint("t2")))
		}}
		listener, stop := serveHandler(handler(t, service))
		defer stop()
		_, body, after := sendUnfinished(t, listener, "GET "+watchedPath+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")
		if strings.Count(body, "\n") != 2 || after < time.Minute {
			t.Errorf("after %v: %q", after, body)
		}
	})
}
