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
	"github.com/audian/participant-gateway/internal/wire"
)

// bodyTimeout is how long a body may pause.
const bodyTimeout = 10 * time.Second

// half sends the first half of a request over a connection of its own, and gives the
// answer, and when it came.
func half(t *testing.T, listener pipes, request string) (answer *http.Response, body string, after time.Duration) {
	t.Helper()
	client, _ := listener.dial(t.Context(), "", "")
	defer client.Close()
	start := time.Now()
	if _, err := io.WriteString(client, request); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		t.Fatalf("after %v: %v", time.Since(start), err)
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(read), time.Since(start)
}

func TestABodyThatDoesNotArriveIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refused []apierror.Reason
		listener, stop := serveHandler(handler(t, polite(t), func(options *Options) {
			options.OnRefused = func(reason apierror.Reason) { refused = append(refused, reason) }
		}))
		defer stop()
		got, body, after := half(t, listener, "POST "+participantsPath+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
		if got.StatusCode != http.StatusGatewayTimeout || after != bodyTimeout || !got.Close {
			t.Errorf("after %v: %s, close: %v", after, got.Status, got.Close)
		}
		for _, want := range []string{`"reason":"BODY_TOO_SLOW"`, `"status":"DEADLINE_EXCEEDED"`, `"dialled":"no"`} {
			if !strings.Contains(body, want) {
				t.Errorf("the body lacks %s: %s", want, body)
			}
		}
		if len(refused) != 1 || refused[0] != apierror.BodyTooSlow {
			t.Errorf("counted %v", refused)
		}
	})
}

// A body that a call does not take is not waited for without end either.
func TestABodyThatNobodyReadsHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener, stop := serve(t, polite(t))
		defer stop()
		got, _, after := half(t, listener, "DELETE "+onePath+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
		if got.StatusCode != http.StatusNoContent || after > bodyTimeout {
			t.Errorf("after %v: %s", after, got.Status)
		}
	})
}

// slowly is a body in two halves.
type slowly struct {
	halves []string
	pause  time.Duration
}

func (s *slowly) Read(p []byte) (int, error) {
	if len(s.halves) == 0 {
		return 0, io.EOF
	}
	time.Sleep(s.pause)
	n := copy(p, s.halves[0])
	s.halves = s.halves[1:]
	return n, nil
}

func TestTheBodysTimeIsNotTheCalls(t *testing.T) {
	patient := polite(t)
	patient.add = func(ctx context.Context, _ *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
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
				listener, stop := serveHandler(handler(t, patient))
				defer stop()
				transport := &http.Transport{DialContext: listener.dial, Protocols: &http.Protocols{}}
				set(transport.Protocols, true)
				defer transport.CloseIdleConnections()
				for range 2 { // The second call finds the connection as good as new.
					body := &slowly{halves: []string{`{"phone_number":`, `"+12025550123"}`}, pause: 4 * time.Second}
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

func TestAStreamOutlivesABodyThatItDoesNotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &fake{watch: func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
			if err := s.SendMsg(wire.NewMessage(heartbeat("t1"))); err != nil {
				return err
			}
			time.Sleep(time.Minute)
			return s.SendMsg(wire.NewMessage(heartbeat("t2")))
		}}
		listener, stop := serveHandler(handler(t, service))
		defer stop()
		_, body, after := half(t, listener, "GET "+watchedPath+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")
		if strings.Count(body, "\n") != 2 || after < time.Minute {
			t.Errorf("after %v: %q", after, body)
		}
	})
}
