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

// lively is an upstream whose people are forty times as fast as people are.
var lively = simulator.Options{Seed: 7, TimeScale: 40, AddsPerSecond: -1, LingerDisconnected: 300 * time.Millisecond, PageSize: 4}

func TestWatch_AllDoorsTellTheSame(t *testing.T) {
	t.Parallel()
	g := start(t, lively)
	everything := []*watcher{
		g.watchGRPC(&v2.WatchParticipantsRequest{}), g.watchGRPC(&v2.WatchParticipantsRequest{}),
		g.watchHTTP("text/event-stream", ""), g.watchHTTP("application/x-ndjson", ""),
	}
	connected := []*watcher{
		g.watchGRPC(&v2.WatchParticipantsRequest{Statuses: []v2.ParticipantStatus{v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED}}),
		g.watchHTTP("text/event-stream", "?statuses=connected"),
	}
	for _, w := range slices.Concat(everything, connected) {
		g.eventually("a first message", func() bool { return len(w.told()) > 0 })
	}
	g.stir(60)
	g.settle()
	for _, w := range everything {
		g.agrees(w, func(simulator.Participant) bool { return true })
	}
	for _, w := range connected {
		g.agrees(w, func(p simulator.Participant) bool { return p.Status == "connected" })
	}
	sameOrder(t, everything)
	sameOrder(t, connected)
}

// stir makes things happen, at the upstream and through the gateway, one every 50 ms.
func (g *gateway) stir(rounds int) {
	g.t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	words := []string{"connected", "held", "rejected", "disconnected", "dialing", "whispering"}
	for n := range rounds {
		<-ticker.C
		people := g.upstream.Participants(room)
		who := "nobody"
		if len(people) > 0 {
			who = people[random.IntN(len(people))].ID
		}
		switch random.IntN(6) {
		case 0:
			g.upstream.AddParticipant(room, simulator.Participant{Status: words[random.IntN(len(words))], Name: fmt.Sprint(n)})
		case 1, 2:
			g.upstream.SetStatus(room, who, words[random.IntN(len(words))])
		case 3:
			g.upstream.RemoveParticipant(room, who)
		case 4:
			g.add(n)
		default:
			g.call("DELETE", path("/"+who), "")
		}
	}
}

func (g *gateway) add(n int) *v2.Participant {
	g.t.Helper()
	response, err := g.client.AddParticipant(g.context(), person(n))
	if err != nil {
		g.t.Fatalf("add: %v", err)
	}
	return response.GetParticipant()
}

// settle brings everybody to rest in a status in which they stay.
func (g *gateway) settle() {
	g.t.Helper()
	for i, p := range g.upstream.Participants(room) {
		g.upstream.SetStatus(room, p.ID, []string{"connected", "held", "pending"}[i%3])
	}
}

// agrees waits until a watcher holds the upstream's truth, as far as it asked for it.
func (g *gateway) agrees(w *watcher, asked func(simulator.Participant) bool) {
	g.t.Helper()
	truth := map[string]string{}
	for _, p := range g.upstream.Participants(room) {
		if asked(p) {
			truth[p.ID] = p.Status
		}
	}
	held := func() map[string]string {
		statuses := map[string]string{}
		for id, p := range w.copy() {
			statuses[id] = p.Status
		}
		return statuses
	}
	late := time.After(patience)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !maps.Equal(held(), truth) {
		select {
		case <-ticker.C:
		case <-late:
			g.t.Fatalf("%s: held %v, truth %v, ended: %v", w.name, held(), truth, w.failed())
		}
	}
	if err := w.failed(); err != nil {
		g.t.Errorf("%s: %v", w.name, err)
	}
}

// sameOrder says whether watchers with one filter were told the same changes in the
// same order (W3). Those who came later were told the last of them.
func sameOrder(t *testing.T, watchers []*watcher) {
	t.Helper()
	var longest []string
	all := make([][]string, len(watchers))
	for i, w := range watchers {
		all[i] = changesOf(w.told())
		if len(all[i]) > len(longest) {
			longest = all[i]
		}
	}
	for i, told := range all {
		if !slices.Equal(told, longest[len(longest)-len(told):]) {
			t.Errorf("%s was told\n%v\nof\n%v", watchers[i].name, told, longest)
		}
	}
	if len(longest) == 0 {
		t.Error("nothing happened")
	}
}

func changesOf(events []event) []string {
	var told []string
	for _, e := range events {
		if e.Changes == nil {
			continue
		}
		text := e.Token
		for _, c := range e.Changes.Changes {
			text += fmt.Sprintf(" %s %s %s", c.Kind, c.Participant, c.Source)
		}
		told = append(told, text)
	}
	return told
}

func TestW04_ResumeTellsExactlyWhatWasMissed(t *testing.T) {
	t.Parallel()
	g := start(t, lively)
	stays := g.watchGRPC(&v2.WatchParticipantsRequest{})
	leaver := g.watchHTTP("text/event-stream", "")
	g.eventually("snapshots", func() bool { return len(stays.told()) > 0 && len(leaver.told()) > 0 })
	g.stir(8)
	g.eventually("some changes", func() bool { return len(changesOf(leaver.told())) > 0 })
	leaver.close()
	events := leaver.told()
	token := events[len(events)-1].Token
	g.stir(12)
	g.settle()
	g.agrees(stays, func(simulator.Participant) bool { return true })

	g.holding = leaver.copy()
	back := []*watcher{
		g.watchGRPC(&v2.WatchParticipantsRequest{ResumeToken: token}),
		// Last-Event-ID beats the token that the URL began with.
		g.watchHTTP("text/event-stream", "?resume_token=pgw9.another", "Last-Event-ID: "+token),
		g.watchHTTP("application/x-ndjson", "?resume_token="+token),
	}
	missed := after(changesOf(stays.told()), changesOf(events))
	for _, w := range back {
		g.eventually("what was missed", func() bool { return len(changesOf(w.told())) >= len(missed) || w.failed() != nil })
		if err := w.failed(); err != nil {
			t.Errorf("%s: %v", w.name, err)
		}
		if got := changesOf(w.told()); !slices.Equal(got, missed) {
			t.Errorf("%s: told\n%v, missed\n%v", w.name, got, missed)
		}
		for _, e := range w.told() {
			if e.Snapshot != nil {
				t.Errorf("%s: a snapshot, %s", w.name, e.Snapshot.Reason)
			}
		}
	}
}

// after is what comes after the last of some that are known.
func after(all, known []string) []string {
	if len(known) == 0 {
		return all
	}
	return all[slices.Index(all, known[len(known)-1])+1:]
}

func TestW04_OtherTokensGiveOneSnapshot(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	first := g.watchGRPC(&v2.WatchParticipantsRequest{})
	g.eventually("a snapshot", func() bool { return len(first.told()) > 0 })
	token := first.told()[0].Token
	for _, test := range [][2]string{
		{"", "initial"},
		{"?resume_token=pgw9.another", "resume_expired"},
		{"?statuses=held&resume_token=" + token, "filter_changed"},
		{"?roles=listener&resume_token=" + token, "filter_changed"},
		{"?participant_ids=x&resume_token=" + token, "filter_changed"},
	} {
		query, want := test[0], test[1]
		w := g.watchHTTP("application/x-ndjson", query)
		g.eventually("a message", func() bool { return len(w.told()) > 0 })
		if e := w.told()[0]; e.Snapshot == nil || e.Snapshot.Reason != want {
			t.Errorf("%s: got %+v, want %s", query, e, want)
		}
	}
}

func TestW11_EndOfTheConference(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	g.upstream.AddParticipant(room, simulator.Participant{ID: "a", Status: "connected"})
	watchers := []*watcher{
		g.watchGRPC(&v2.WatchParticipantsRequest{}), g.watchHTTP("text/event-stream", ""), g.watchHTTP("application/x-ndjson", ""),
	}
	for _, w := range watchers {
		g.eventually("a snapshot", func() bool { return len(w.told()) > 0 })
	}
	g.upstream.DeleteConference(room)
	for _, w := range watchers {
		<-w.done
		events := w.told()
		if last := events[len(events)-1]; last.End == nil || last.End.Reason != "conference_gone" || len(changesOf(events)) > 0 {
			t.Errorf("%s: got %+v, %v", w.name, last, w.failed())
		}
	}
}

func TestPassthrough_AccountsAreApart(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{Tokens: []string{"token-a", "token-b"}}, "--auth", "passthrough")
	for _, token := range []string{"token-a", "token-b"} {
		w := g.watchHTTP("application/x-ndjson", "", "X-Auth-Token: "+token)
		g.eventually("a snapshot", func() bool { return len(w.told()) > 0 })
	}
	// A token of one log is none of the other's, though the conference is the same.
	epochs := map[string]bool{}
	for _, header := range []string{"Authorization: Bearer token-a", "X-Auth-Token: token-a", "X-Auth-Token: token-b"} {
		w := g.watchHTTP("application/x-ndjson", "", header)
		g.eventually("a snapshot", func() bool { return len(w.told()) > 0 })
		epochs[w.told()[0].Token] = true
	}
	if len(epochs) != 2 {
		t.Errorf("got %d logs of two accounts", len(epochs))
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
