package e2e_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
)

// fastUpstream is an upstream whose participants change forty times faster than people.
var fastUpstream = simulator.Options{Seed: 7, TimeScale: 40, AddsPerSecond: -1, LingerDisconnected: 300 * time.Millisecond, PageSize: 4}

func TestW03_AllTransportsSendTheSameChanges(t *testing.T) {
	t.Parallel()
	g := start(t, fastUpstream)
	unfiltered := []*watcher{
		g.watchGRPC(&v2.WatchParticipantsRequest{}), g.watchGRPC(&v2.WatchParticipantsRequest{}),
		g.watchHTTP("text/event-stream", ""), g.watchHTTP("application/x-ndjson", ""),
	}
	connected := []*watcher{
		g.watchGRPC(&v2.WatchParticipantsRequest{Statuses: []v2.ParticipantStatus{v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED}}),
		g.watchHTTP("text/event-stream", "?statuses=connected"),
	}
	for _, w := range slices.Concat(unfiltered, connected) {
		g.eventually("a first message", func() bool { return len(w.received()) > 0 })
	}
	g.makeChanges(60)
	g.stopChanges()
	for _, w := range unfiltered {
		g.converges(w, func(simulator.Participant) bool { return true })
	}
	for _, w := range connected {
		g.converges(w, func(p simulator.Participant) bool { return p.Status == "connected" })
	}
	sameOrder(t, unfiltered)
	sameOrder(t, connected)
}

// makeChanges makes a random change every 50 ms, at the upstream or through the gateway.
func (g *gateway) makeChanges(rounds int) {
	g.t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	statuses := []string{"connected", "held", "rejected", "disconnected", "dialing", "whispering"}
	for n := range rounds {
		<-ticker.C
		participants := g.upstream.Participants(conferenceID)
		id := "unknown"
		if len(participants) > 0 {
			id = participants[random.IntN(len(participants))].ID
		}
		switch random.IntN(6) {
		case 0:
			g.upstream.AddParticipant(conferenceID, simulator.Participant{Status: statuses[random.IntN(len(statuses))], Name: fmt.Sprint(n)})
		case 1, 2:
			g.upstream.SetStatus(conferenceID, id, statuses[random.IntN(len(statuses))])
		case 3:
			g.upstream.RemoveParticipant(conferenceID, id)
		case 4:
			g.add(n)
		default:
			g.call("DELETE", path("/"+id), "")
		}
	}
}

func (g *gateway) add(n int) *v2.Participant {
	g.t.Helper()
	response, err := g.client.AddParticipant(g.context(), addRequest(n))
	if err != nil {
		g.t.Fatalf("add: %v", err)
	}
	return response.GetParticipant()
}

// stopChanges gives every participant a status that they keep.
func (g *gateway) stopChanges() {
	g.t.Helper()
	for i, p := range g.upstream.Participants(conferenceID) {
		g.upstream.SetStatus(conferenceID, p.ID, []string{"connected", "held", "pending"}[i%3])
	}
}

// converges waits until the state of a watcher equals the upstream's, as far as it matches
// the watcher's filter.
func (g *gateway) converges(w *watcher, matches func(simulator.Participant) bool) {
	g.t.Helper()
	want := map[string]string{}
	for _, p := range g.upstream.Participants(conferenceID) {
		if matches(p) {
			want[p.ID] = p.Status
		}
	}
	got := func() map[string]string {
		statuses := map[string]string{}
		for id, p := range w.currentState() {
			statuses[id] = p.Status
		}
		return statuses
	}
	expired := time.After(timeout)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !maps.Equal(got(), want) {
		select {
		case <-ticker.C:
		case <-expired:
			g.t.Fatalf("%s: state %v, want %v, ended: %v", w.name, got(), want, w.failed())
		}
	}
	if err := w.failed(); err != nil {
		g.t.Errorf("%s: %v", w.name, err)
	}
}

// sameOrder checks that watchers with the same filter received the same changes in the same
// order (W3). A watcher that started later received only the last of them.
func sameOrder(t *testing.T, watchers []*watcher) {
	t.Helper()
	var longest []string
	all := make([][]string, len(watchers))
	for i, w := range watchers {
		all[i] = changesOf(w.received())
		if len(all[i]) > len(longest) {
			longest = all[i]
		}
	}
	for i, received := range all {
		if !slices.Equal(received, longest[len(longest)-len(received):]) {
			t.Errorf("%s received\n%v\nof\n%v", watchers[i].name, received, longest)
		}
	}
	if len(longest) == 0 {
		t.Error("there were no changes")
	}
}

func changesOf(events []event) []string {
	var changes []string
	for _, e := range events {
		if e.Changes == nil {
			continue
		}
		text := e.Token
		for _, c := range e.Changes.Changes {
			text += fmt.Sprintf(" %s %s %s", c.Kind, c.Participant, c.Source)
		}
		changes = append(changes, text)
	}
	return changes
}

func TestW04_ResumeSendsExactlyTheMissedChanges(t *testing.T) {
	t.Parallel()
	g := start(t, fastUpstream)
	uninterrupted := g.watchGRPC(&v2.WatchParticipantsRequest{})
	interrupted := g.watchHTTP("text/event-stream", "")
	g.eventually("snapshots", func() bool { return len(uninterrupted.received()) > 0 && len(interrupted.received()) > 0 })
	g.makeChanges(8)
	g.eventually("some changes", func() bool { return len(changesOf(interrupted.received())) > 0 })
	interrupted.close()
	events := interrupted.received()
	token := events[len(events)-1].Token
	g.makeChanges(12)
	g.stopChanges()
	g.converges(uninterrupted, func(simulator.Participant) bool { return true })

	g.initialState = interrupted.currentState()
	resumed := []*watcher{
		g.watchGRPC(&v2.WatchParticipantsRequest{ResumeToken: token}),
		// Last-Event-ID has precedence over the token in the URL.
		g.watchHTTP("text/event-stream", "?resume_token=pgw9.another", "Last-Event-ID: "+token),
		g.watchHTTP("application/x-ndjson", "?resume_token="+token),
	}
	missed := after(changesOf(uninterrupted.received()), changesOf(events))
	for _, w := range resumed {
		g.eventually("the missed changes", func() bool { return len(changesOf(w.received())) >= len(missed) || w.failed() != nil })
		if err := w.failed(); err != nil {
			t.Errorf("%s: %v", w.name, err)
		}
		if got := changesOf(w.received()); !slices.Equal(got, missed) {
			t.Errorf("%s: received\n%v, missed\n%v", w.name, got, missed)
		}
		for _, e := range w.received() {
			if e.Snapshot != nil {
				t.Errorf("%s: got a snapshot, reason %s", w.name, e.Snapshot.Reason)
			}
		}
	}
}

// after returns the elements after the last known one.
func after(all, known []string) []string {
	if len(known) == 0 {
		return all
	}
	return all[slices.Index(all, known[len(known)-1])+1:]
}

func TestW04_OtherTokensLeadToOneSnapshot(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	first := g.watchGRPC(&v2.WatchParticipantsRequest{})
	g.eventually("a snapshot", func() bool { return len(first.received()) > 0 })
	token := first.received()[0].Token
	for _, test := range [][2]string{
		{"", "initial"},
		{"?resume_token=pgw9.another", "resume_expired"},
		{"?statuses=held&resume_token=" + token, "filter_changed"},
		{"?roles=listener&resume_token=" + token, "filter_changed"},
		{"?participant_ids=x&resume_token=" + token, "filter_changed"},
	} {
		query, want := test[0], test[1]
		w := g.watchHTTP("application/x-ndjson", query)
		g.eventually("a message", func() bool { return len(w.received()) > 0 })
		if e := w.received()[0]; e.Snapshot == nil || e.Snapshot.Reason != want {
			t.Errorf("%s: got %+v, want %s", query, e, want)
		}
	}
}

func TestW11_DeletedConferenceEndsStreams(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	g.upstream.AddParticipant(conferenceID, simulator.Participant{ID: "a", Status: "connected"})
	watchers := []*watcher{
		g.watchGRPC(&v2.WatchParticipantsRequest{}), g.watchHTTP("text/event-stream", ""), g.watchHTTP("application/x-ndjson", ""),
	}
	for _, w := range watchers {
		g.eventually("a snapshot", func() bool { return len(w.received()) > 0 })
	}
	g.upstream.DeleteConference(conferenceID)
	for _, w := range watchers {
		<-w.done
		events := w.received()
		if last := events[len(events)-1]; last.End == nil || last.End.Reason != "conference_gone" || len(changesOf(events)) > 0 {
			t.Errorf("%s: got %+v, %v", w.name, last, w.failed())
		}
	}
}

func TestPassthrough_CredentialsHaveSeparateFeeds(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{Tokens: []string{"token-a", "token-b"}}, "--auth", "passthrough")
	for _, token := range []string{"token-a", "token-b"} {
		w := g.watchHTTP("application/x-ndjson", "", "X-Auth-Token: "+token)
		g.eventually("a snapshot", func() bool { return len(w.received()) > 0 })
	}
	// The feeds of two credentials have different tokens for the same conference.
	tokens := map[string]bool{}
	for _, header := range []string{"Authorization: Bearer token-a", "X-Auth-Token: token-a", "X-Auth-Token: token-b"} {
		w := g.watchHTTP("application/x-ndjson", "", header)
		g.eventually("a snapshot", func() bool { return len(w.received()) > 0 })
		tokens[w.received()[0].Token] = true
	}
	if len(tokens) != 2 {
		t.Errorf("got %d tokens of two credentials", len(tokens))
	}
	if got := g.call("GET", path(""), ""); got.status != 401 {
		t.Errorf("no credential: got %d %s", got.status, got.body)
	}
	for header, want := range map[string]int{"X-Auth-Token: token-c": 401, "X-Auth-Token: token-a": 200} {
		if got := g.call("GET", path(""), "", header); got.status != want {
			t.Errorf("%q: got %d %s", header, got.status, got.body)
		}
	}
	if got := g.call("GET", path(""), "", "X-Auth-Token: token-a", "Authorization: Bearer token-b"); got.status != 401 {
		t.Errorf("two credentials: got %d", got.status)
	}
}
