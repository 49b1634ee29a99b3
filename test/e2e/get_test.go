package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
)

// getSources gets a participant over each transport. It returns where the participant comes
// from, or the status of an error.
func (g *gateway) getSources(id string) map[string]string {
	g.t.Helper()
	sources := map[string]string{}
	var header metadata.MD
	got, err := g.client.GetParticipant(g.context(),
		&v2.GetParticipantRequest{ConferenceId: conferenceID, ParticipantId: id}, grpc.Header(&header))
	sources["gRPC"] = strings.Join(header.Get("participant-source"), " ")
	if err != nil || got.GetParticipant().GetId() != id {
		sources["gRPC"] = fmt.Sprint(got, err)
	}
	const connectPath = "/audian.conference.v2.ParticipantService/GetParticipant"
	body := fmt.Sprintf(`{"conferenceId":%q,"participantId":%q}`, conferenceID, id)
	frame := fmt.Sprintf("\x00\x00\x00\x00%c%s", len(body), body)
	for name, response := range map[string]response{
		"REST":     g.call("GET", path("/"+id), ""),
		"Connect":  g.call("POST", connectPath, body, "Content-Type: application/json"),
		"gRPC-Web": g.call("POST", connectPath, frame, "Content-Type: application/grpc-web+json"),
	} {
		sources[name] = response.header.Get("Participant-Source")
		if response.status != http.StatusOK || !strings.Contains(response.body, id) {
			sources[name] = fmt.Sprint(response.status, response.body)
		}
	}
	return sources
}

// TestA07_OverEveryTransport gets a participant with and without a watch.
func TestA07_OverEveryTransport(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{Behaviour: simulator.Still})
	g.upstream.AddParticipant(conferenceID, simulator.Participant{ID: "part_a", PhoneNumber: "+12025551234", Status: "connected"})
	for transport, source := range g.getSources("part_a") {
		if source != "list" {
			t.Errorf("%s: not watched: got %q", transport, source)
		}
	}
	stream, err := g.client.WatchParticipants(g.context(), &v2.WatchParticipantsRequest{ConferenceId: conferenceID})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	for transport, source := range g.getSources("part_a") {
		if source != "feed" {
			t.Errorf("%s: watched: got %q", transport, source)
		}
	}
	_, err = g.client.GetParticipant(g.context(), &v2.GetParticipantRequest{ConferenceId: conferenceID, ParticipantId: "part_b"})
	wantStatus(t, err, "NotFound", "PARTICIPANT_NOT_FOUND")
	got := g.call("GET", path("/part_b"), "")
	if reason, _ := failure(t, got); got.status != http.StatusNotFound || reason != "PARTICIPANT_NOT_FOUND" {
		t.Errorf("over HTTP: got %d %s", got.status, got.body)
	}
	_, err = g.client.GetParticipant(g.context(), &v2.GetParticipantRequest{ConferenceId: "a/b"})
	wantStatus(t, err, "InvalidArgument", "INVALID_REQUEST")
}

// TestA07_ConcurrentGetsAreOneList gets a participant a hundred times at once, over two
// transports.
func TestA07_ConcurrentGetsAreOneList(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{Behaviour: simulator.Still})
	g.upstream.AddParticipant(conferenceID, simulator.Participant{ID: "part_a", PhoneNumber: "+12025551234", Status: "connected"})
	g.upstream.Inject(simulator.Fault{Kind: simulator.FaultLatency, Latency: 300 * time.Millisecond})
	begin := make(chan struct{})
	var running sync.WaitGroup
	for n := range 100 {
		running.Go(func() {
			<-begin
			if n%2 == 0 {
				_, err := g.client.GetParticipant(g.context(), &v2.GetParticipantRequest{ConferenceId: conferenceID, ParticipantId: "part_a"})
				if err != nil {
					t.Error(err)
				}
			} else if got := g.call("GET", path("/part_a"), ""); got.status != http.StatusOK {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
	began := time.Now()
	close(begin)
	running.Wait()
	// Calls that arrive during a list share the next one. So a slow machine, on which the calls
	// arrive over several lists, reads one more for each of them. A test of package upstream
	// counts exactly, in virtual time.
	most := 1 + int(time.Since(began)/(300*time.Millisecond))
	if lists := len(g.upstream.History()); lists > most {
		t.Errorf("%d lists for 100 calls, want %d at most", lists, most)
	}
}

// TestA07_IncompleteListsProveNoAbsence makes the second page of a list fail.
func TestA07_IncompleteListsProveNoAbsence(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{Behaviour: simulator.Still, PageSize: 1})
	for _, id := range []string{"part_a", "part_b"} {
		g.upstream.AddParticipant(conferenceID, simulator.Participant{ID: id, PhoneNumber: "+12025551234", Status: "connected"})
	}
	g.upstream.Inject(simulator.Fault{Kind: simulator.FaultStatus, Status: 500, LaterPages: true})
	if got := g.call("GET", path("/part_a"), ""); got.status != http.StatusOK || got.header.Get("Participant-Source") != "list" {
		t.Errorf("on the first page: got %d %s", got.status, got.body)
	}
	_, err := g.client.GetParticipant(g.context(), &v2.GetParticipantRequest{ConferenceId: conferenceID, ParticipantId: "part_b"})
	if details := wantStatus(t, err, "Unavailable", "UPSTREAM_INCOMPLETE"); details["upstream_status"] != "500" {
		t.Errorf("metadata: %v", details)
	}
}
