package e2e_test

import (
	"net/http"
	"testing"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
)

// TestA12_RefreshOverEveryTransport changes a conference that is polled once a minute, and
// refreshes it over each transport: watchers see each change at once.
func TestA12_RefreshOverEveryTransport(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{Behaviour: simulator.Still}, "--poll-interval", "1m", "--max-poll-interval", "1m")
	g.upstream.AddParticipant(conferenceID, simulator.Participant{ID: "part_a", PhoneNumber: "+12025551234", Status: "connected"})
	stream, err := g.client.WatchParticipants(g.context(), &v2.WatchParticipantsRequest{ConferenceId: conferenceID})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	const connectPath = "/audian.conference.v2.ParticipantService/RefreshParticipants"
	status := map[bool]string{true: "held", false: "connected"}
	held := false
	for name, refresh := range map[string]func(){
		"gRPC": func() {
			if _, err := g.client.RefreshParticipants(g.context(), &v2.RefreshParticipantsRequest{ConferenceId: conferenceID}); err != nil {
				t.Error(err)
			}
		},
		"REST": func() {
			if got := g.call("POST", path(":refresh"), ""); got.status != http.StatusNoContent || got.body != "" {
				t.Errorf("got %d %s", got.status, got.body)
			}
		},
		"Connect": func() {
			got := g.call("POST", connectPath, `{"conferenceId":"`+conferenceID+`"}`, "Content-Type: application/json")
			if got.status != http.StatusOK || got.body != "{}" {
				t.Errorf("got %d %s", got.status, got.body)
			}
		},
	} {
		held = !held
		g.upstream.SetStatus(conferenceID, "part_a", status[held])
		began := time.Now()
		refresh()
		message, err := stream.Recv()
		for err == nil && message.GetChanges() == nil {
			message, err = stream.Recv()
		}
		if took := time.Since(began); err != nil || took > 5*time.Second {
			t.Errorf("%s: got %v after %v, %v", name, message, took, err)
		}
	}
	lists := len(g.upstream.History())
	if got := g.call("POST", "/v2/conferences/conf_nobody_watches/participants:refresh", "{}"); got.status != http.StatusNoContent {
		t.Errorf("without watchers: got %d %s", got.status, got.body)
	}
	got := g.call("POST", "/v2/conferences/a%5Cb/participants:refresh", "")
	if reason, fields := failure(t, got); got.status != http.StatusBadRequest || reason != "INVALID_REQUEST" || len(fields) != 1 {
		t.Errorf("an invalid id: got %d %s", got.status, got.body)
	}
	if after := len(g.upstream.History()); after != lists {
		t.Errorf("%d requests to the upstream without watchers", after-lists)
	}
}
