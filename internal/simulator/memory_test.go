package simulator_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/simulator"
)

// The two ways to the simulator are the same to a client.
func TestTransportIsLikeASocket(t *testing.T) {
	s, c := start(t, simulator.Options{Behaviour: simulator.Still})
	s.AddPerson(room, simulator.Person{})
	socket := c.overSocket(s)
	for _, path := range []string{people(room), people(room) + "/..", "/v2/nothing", "/nothing", "/_simulator/conferences"} {
		here, there := c.do(http.MethodGet, path, ""), socket.do(http.MethodGet, path, "")
		for _, r := range []*response{&here, &there} {
			r.body = strings.NewReplacer("00000001", "", "00000002", "", "00000003", "", "00000004", "").Replace(r.body)
		}
		if here.status != there.status || here.body != there.body || here.header.Get("Content-Type") != there.header.Get("Content-Type") {
			t.Errorf("%s: %+v and %+v", path, here, there)
		}
	}
}

func TestTransportEndsWithItsContext(t *testing.T) {
	s, c := start(t, simulator.Options{})
	s.Inject(simulator.Fault{Kind: simulator.FaultLatency, Latency: 1 << 40})
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, inMemory+people(room), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	answer, err := c.http.Do(r)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", answer, err)
	}
	if answer != nil {
		answer.Body.Close()
	}
}

func TestTransportTellsLengths(t *testing.T) {
	s, c := start(t, simulator.Options{})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, inMemory+people(room), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = c.header
	answer, err := s.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.ContentLength != int64(len(`{"participants":[],"total":0,"active":0}`)) || answer.Status != "200 OK" {
		t.Errorf("answered %+v", answer)
	}
}

// A body that is larger than any request of the vendor's is not read.
func TestHugeBodyIsCut(t *testing.T) {
	s, c := start(t, simulator.Options{})
	if answer, err := c.try(http.MethodPost, people(room), strings.Repeat(" ", 1<<17)); err == nil {
		t.Errorf("answered %+v", answer)
	}
	if got := s.History(); len(got) != 1 || got[0].Status != 0 {
		t.Errorf("history %+v", got)
	}
}
