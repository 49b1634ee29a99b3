package simulator_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/simulator"
)

func TestTransport_EqualsSocket(t *testing.T) {
	s, c := start(t, simulator.Options{Behaviour: simulator.Still})
	s.AddParticipant(conferenceID, simulator.Participant{})
	socket := c.overSocket(s)
	for _, path := range []string{participantsPath(conferenceID), participantsPath(conferenceID) + "/..", "/v2/nothing", "/nothing", "/_simulator/conferences"} {
		inMemory, overSocket := c.do(http.MethodGet, path, ""), socket.do(http.MethodGet, path, "")
		for _, r := range []*response{&inMemory, &overSocket} {
			r.body = strings.NewReplacer("00000001", "", "00000002", "", "00000003", "", "00000004", "").Replace(r.body)
		}
		if inMemory.status != overSocket.status || inMemory.body != overSocket.body || inMemory.header.Get("Content-Type") != overSocket.header.Get("Content-Type") {
			t.Errorf("%s: in memory %+v, over a socket %+v", path, inMemory, overSocket)
		}
	}
}

func TestTransport_ContextCanceled(t *testing.T) {
	s, c := start(t, simulator.Options{})
	s.Inject(simulator.Fault{Kind: simulator.FaultLatency, Latency: 1 << 40})
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, inMemoryURL+participantsPath(conferenceID), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	resp, err := c.http.Do(r)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", resp, err)
	}
	if resp != nil {
		resp.Body.Close()
	}
}

func TestTransport_ContentLength(t *testing.T) {
	s, c := start(t, simulator.Options{})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, inMemoryURL+participantsPath(conferenceID), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = c.header
	resp, err := s.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.ContentLength != int64(len(`{"participants":[],"total":0,"active":0}`)) || resp.Status != "200 OK" {
		t.Errorf("got %+v", resp)
	}
}

func TestOversizedBodyClosesTheConnection(t *testing.T) {
	s, c := start(t, simulator.Options{})
	if resp, err := c.try(http.MethodPost, participantsPath(conferenceID), strings.Repeat(" ", 1<<17)); err == nil {
		t.Errorf("got %+v", resp)
	}
	if got := s.History(); len(got) != 1 || got[0].Status != 0 {
		t.Errorf("history %+v", got)
	}
}
