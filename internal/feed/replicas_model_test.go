package feed_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
)

// model checks what all watchers of all replicas see: at each position one roster and one entry,
// and from one position to the next exactly the entries between them.
type model struct {
	*replicas

	random *rand.Rand
	next   int

	mu      sync.Mutex
	rosters map[feed.Position]string
	entries map[feed.Position]string
	faults  []string
	watched map[*replica]*feed.Feed
	seen    map[string]int
}

func TestR02_AllReplicasShowOneLog(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			runReplicas(t, 3, func(r *replicas) {
				m := &model{
					replicas: r, random: rand.New(rand.NewPCG(seed, 1)), rosters: map[feed.Position]string{},
					entries: map[feed.Position]string{}, watched: map[*replica]*feed.Feed{}, seen: seen,
				}
				m.run()
			})
		})
	}
	for _, event := range []string{"kill", "cut", "steal", "forget", "lost answer", "slow messages", "write", "write elsewhere", "replayed", "new log"} {
		if seen[event] == 0 {
			t.Errorf("%q was never exercised: %v", event, seen)
		}
	}
}

func (m *model) run() {
	m.Set("a", participant.StatusDialing)
	for _, r := range m.all {
		m.observe(r)
	}
	for range 60 {
		m.step()
		m.advance(time.Duration(m.random.IntN(1500)) * time.Millisecond)
	}
	m.Fail(nil)
	m.Alter(nil)
	m.Slow(0)
	for _, r := range m.all {
		r.SetAway(r.closed)
		r.DelayMessages(0)
		r.LoseAnswers(0)
	}
	m.advance(40 * time.Second)
	state := m.mustEqual(slices.Collect(maps.Values(m.watched)))
	if listed := m.Listed(); fmt.Sprint(ids(state)) != fmt.Sprint(listed) {
		m.t.Errorf("in the end the roster has %v, the upstream %v", ids(state), listed)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, fault := range m.faults {
		m.t.Error(fault)
	}
}

func ids(state *feed.State) (ids []string) {
	for _, p := range state.People.Copy() {
		ids = append(ids, p.ID)
	}
	return ids
}

// observe watches a replica's feed until the replica ends.
func (m *model) observe(r *replica) {
	f, release := m.watch(r)
	m.watched[r] = f
	m.t.Cleanup(release)
	done := make(chan struct{})
	r.ended = done
	go func() {
		var last *feed.State
		for {
			state := f.State()
			m.check(last, state)
			if state.Known {
				last = state
			}
			select {
			case <-state.Changed():
			case <-done:
				return
			}
		}
	}()
}

// check checks a state after the last one that a watcher has seen.
func (m *model) check(last, state *feed.State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !state.Known {
		return
	}
	m.same(m.rosters, state.Position, rosterText(people(state)), "roster")
	newest := state.Floor
	for _, e := range state.History {
		if e.Seq <= newest {
			m.faults = append(m.faults, fmt.Sprintf("entry %d after entry %d", e.Seq, newest))
		}
		newest = e.Seq
		m.same(m.entries, feed.Position{Epoch: state.Position.Epoch, Seq: e.Seq}, plain([]feed.Entry{e})[0], "entry")
	}
	if last == nil {
		return
	}
	missed, kept := state.After(last.Position)
	if !kept {
		m.seen["new log"]++
		return
	}
	m.seen["replayed"] += len(missed)
	roster := map[string]participant.Participant{}
	for _, p := range people(last) {
		roster[p.ID] = p
	}
	for _, e := range missed {
		m.replay(roster, e)
	}
	replayed := slices.SortedFunc(maps.Values(roster), func(a, b participant.Participant) int { return strings.Compare(a.ID, b.ID) })
	if got, want := rosterText(replayed), rosterText(people(state)); got != want {
		m.faults = append(m.faults, fmt.Sprintf("a replay from %d to %d gives\n%s, the roster is\n%s", last.Position.Seq, state.Position.Seq, got, want))
	}
}

func (m *model) same(known map[feed.Position]string, at feed.Position, text, what string) {
	if before, found := known[at]; found && before != text {
		m.faults = append(m.faults, fmt.Sprintf("two different %s at %d:\n%s\n%s", what, at.Seq, before, text))
	}
	known[at] = text
}

func (m *model) replay(roster map[string]participant.Participant, e feed.Entry) {
	for _, c := range e.Changes {
		if c.After == nil {
			delete(roster, c.Before.ID)
			continue
		}
		if _, present := roster[c.After.ID]; present != (c.Before != nil) {
			m.faults = append(m.faults, fmt.Sprintf("entry %d changes %s, who is present: %v", e.Seq, c.After.ID, present))
		}
		after := *c.After
		after.Duration = 0
		roster[after.ID] = after
	}
}

func rosterText(people []participant.Participant) string {
	texts := make([]string, 0, len(people))
	for _, p := range people {
		texts = append(texts, fmt.Sprint(p.ID, " ", p.Status, " ", p.Role))
	}
	return strings.Join(texts, ", ")
}

func (m *model) pick() *replica {
	for {
		if r := m.all[m.random.IntN(len(m.all))]; !r.closed {
			return r
		}
	}
}

func (m *model) note(event string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen[event]++
}

// step does one thing to the upstream, a replica or the store.
func (m *model) step() {
	status := []participant.Status{participant.StatusDialing, participant.StatusConnected, participant.StatusHeld}[m.random.IntN(3)]
	switch n := m.random.IntN(100); {
	case n < 30:
		m.Set(fmt.Sprint("p", m.random.IntN(8)), status)
	case n < 40:
		m.Remove(fmt.Sprint("p", m.random.IntN(8)))
	case n < 55:
		m.add(m.pick(), "write")
	case n < 60:
		id := fmt.Sprint("p", m.random.IntN(8))
		m.Remove(id)
		m.pick().write(participant.WriteRemove, id, participant.StatusDisconnected)
	case n < 64:
		passer := m.start()
		m.add(passer, "write elsewhere")
		passer.close()
	case n < 68:
		m.note("kill")
		m.end(m.pick(), (*replica).kill)
	case n < 70:
		m.end(m.pick(), (*replica).close)
	case n < 76:
		m.note("cut")
		m.pick().SetAway(true)
	case n < 84:
		for _, r := range m.all {
			r.SetAway(r.closed)
		}
	case n < 88:
		m.note("steal")
		m.store.Steal()
	case n < 89:
		m.note("forget")
		m.store.Forget()
	case n < 93:
		m.note("lost answer")
		m.pick().LoseAnswers(1 + m.random.IntN(2))
	case n < 96:
		m.note("slow messages")
		m.pick().DelayMessages(time.Duration(m.random.IntN(300)) * time.Millisecond)
	case n < 98:
		m.Slow(time.Duration(m.random.IntN(900)) * time.Millisecond)
	default:
		m.upstream()
	}
}

// upstream lets lists fail, or succeed.
func (m *model) upstream() {
	if m.random.IntN(2) == 0 {
		m.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		return
	}
	m.Fail(nil)
}

// add lets an Add succeed that lists show at once, or later.
func (m *model) add(at *replica, event string) {
	m.note(event)
	id := fmt.Sprint("w", m.next)
	m.next++
	if m.random.IntN(2) == 0 {
		m.Set(id, participant.StatusPending)
	}
	at.write(participant.WriteAdd, id, participant.StatusPending)
	m.Set(id, participant.StatusPending)
}

// end ends a replica, and starts another one.
func (m *model) end(r *replica, how func(*replica)) {
	close(r.ended)
	delete(m.watched, r)
	how(r)
	m.observe(m.start())
}

// finish ends the observers.
func (r *replica) finish() {
	if r.ended != nil && !r.closed {
		close(r.ended)
	}
}
