package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/watch"
)

// largeList returns a service whose list is larger than HTTP/2's flow-control window.
func largeList(t *testing.T) *fakeService {
	service := newFake(t)
	service.list = func(context.Context, *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
		participants := make([]*v2.Participant, 600)
		for i := range participants {
			participants[i] = &v2.Participant{Id: "part_1", Name: strings.Repeat("n", 10_000)}
		}
		return &v2.ListParticipantsResponse{Participants: participants}, nil
	}
	return service
}

// withLargeList requests the large list in a synctest bubble and passes its body to read.
func withLargeList(t *testing.T, read func(io.Reader) error) {
	t.Helper()
	for name, set := range map[string]func(*http.Protocols, bool){
		"HTTP/1": (*http.Protocols).SetHTTP1, "HTTP/2": (*http.Protocols).SetUnencryptedHTTP2,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				listener, stop := serveHandler(handler(t, largeList(t)))
				defer stop()
				transport := &http.Transport{DialContext: listener.Dial, Protocols: &http.Protocols{}}
				set(transport.Protocols, true)
				defer transport.CloseIdleConnections()
				request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+participantsPath, http.NoBody)
				response, err := transport.RoundTrip(request)
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
				if err := read(response.Body); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestUnaryResponseEndsWithoutProgress(t *testing.T) {
	withLargeList(t, func(body io.Reader) error {
		time.Sleep(watch.SendTimeout + time.Second)
		if _, err := io.Copy(io.Discard, body); err == nil {
			return io.ErrNoProgress
		}
		return nil
	})
}

func TestUnaryResponseToSlowReaderCompletes(t *testing.T) {
	withLargeList(t, func(body io.Reader) error {
		start := time.Now()
		for {
			_, err := io.CopyN(io.Discard, body, 200<<10)
			switch {
			case errors.Is(err, io.EOF) && time.Since(start) > 2*watch.SendTimeout:
				return nil
			case err != nil:
				return err
			}
			time.Sleep(5 * time.Second)
		}
	})
}

func TestBodiesMayArriveSlowly(t *testing.T) {
	for name, test := range map[string]struct {
		pause  time.Duration
		pieces int
		status int
	}{
		"slow but steady":      {9 * time.Second, 6, http.StatusOK},
		"a pause":              {11 * time.Second, 2, http.StatusGatewayTimeout},
		"steady, but too long": {9 * time.Second, 20, http.StatusGatewayTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				listener, stop := serveHandler(handler(t, newFake(t)))
				defer stop()
				transport := &http.Transport{DialContext: listener.Dial}
				defer transport.CloseIdleConnections()
				pieces := make([]string, test.pieces)
				for i := range pieces {
					pieces[i] = " "
				}
				pieces[0] = "{}"
				request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost"+participantsPath, &slowBody{pieces: pieces, pause: test.pause})
				response, err := transport.RoundTrip(request)
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
				if response.StatusCode != test.status {
					t.Errorf("response = %s, want %d", response.Status, test.status)
				}
				// The transport's write goroutine ends with the body.
				time.Sleep(test.pause * time.Duration(test.pieces))
			})
		})
	}
}
