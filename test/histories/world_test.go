package histories_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/internal/wire"
)

const (
	conference = "conf"
	// neighbour begins the names of the conferences of which most lists fail.
	neighbour = "neighbour-"
	clients   = 4
	// glance is the longest time for which nobody looks.
	glance = time.Second
	// restFor is how long the upstream is left alone in the end: until windows are
	// over, rows are through, rates regained, and a quiet conference was read again.
	restFor = 70 * time.Second
	// learnFor is how much longer it takes with an upstream that counts too many.
	learnFor = 30 * time.Second
	// lastFault is how long a request may still be struck by a fault that was taken away.
	lastFault = 8 * time.Second
)

// world is a history being played.
type world struct {
	history  history
	upstream *simulator.Simulator
	truth    *truth
	gateway  *gateway
	seen     *counts
	clients  []*client
	// neighbours watch the conferences that fail.
	neighbours []*client
	// neighbourLists is how many lists the neighbours were asked for.
	neighbourLists int
	writes         writes
	// hides says that a list may have hidden somebody who was there, unnoticed.
	hides bool
	start time.Time

	lists *lists
	// placeholders is how many lists hold no array, odd how many bodies were altered, and
	// resting says that the end has come, when no field is odd any more.
	placeholders, odd int
	resting           bool

	mu      sync.Mutex
	ledger  *ledger
	failure error
}

// play plays a history to its end and gives the first thing that went wrong.
func play(h history, seen *counts) error {
	w, err := newWorld(h, seen)
	if err != nil {
		return err
	}
	for _, s := range h.Steps {
		w.pass(s.Pause)
		if w.failed() != nil {
			break
		}
		w.truth.look()
		deeds[s.Kind](w, s)
		w.truth.look()
	}
	w.rest()
	seen.add(historyPlayed)
	return w.end()
}

// watchNeighbours watches other conferences of the account.
func (w *world) watchNeighbours() {
	for i := range w.history.Neighbours {
		c := &client{world: w, held: map[string]*v2.Participant{}, conference: fmt.Sprintf("%s%d", neighbour, i)}
		c.ask(filters[0])
		c.open("")
		w.neighbours = append(w.neighbours, c)
	}
}

// newWorld is the world before the first step.
func newWorld(h history, seen *counts) (*world, error) {
	w := &world{
		history: h, upstream: simulator.New(h.Upstream), seen: seen,
		ledger: newLedger(), lists: newLists(), start: time.Now(),
	}
	w.truth = newTruth(w.upstream)
	var err error
	if w.gateway, err = newGateway(h, watchedTransport{w, w.upstream.Transport()}, w); err != nil {
		return nil, err
	}
	if h.Failing > 0 {
		w.upstream.Inject(simulator.Fault{Kind: simulator.FaultCut, Operation: simulator.List, Times: h.Failing})
	}
	w.watchNeighbours()
	for slot := range clients {
		c := &client{world: w, held: map[string]*v2.Participant{}}
		c.ask(filters[slot%len(filters)])
		w.clients = append(w.clients, c)
		if slot < h.Watching {
			c.open("")
		}
	}
	return w, nil
}

// ask makes the client's filter another.
func (c *client) ask(request *v2.WatchParticipantsRequest) {
	c.request = request
	c.filter = wire.Filter(request.GetStatuses(), request.GetRoles(), request.GetParticipantIds())
}

// fail keeps the first failure.
func (w *world) fail(what string, err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failure == nil {
		w.failure = fmt.Errorf("%s after %s: %w", what, time.Since(w.start), err)
	}
}

func (w *world) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failure
}

// pass lets time pass, with a look at everything now and then.
func (w *world) pass(d time.Duration) {
	for {
		synctest.Wait()
		w.check()
		if d <= 0 || w.failed() != nil {
			return
		}
		time.Sleep(min(d, glance))
		w.truth.look()
		d -= glance
	}
}

// rest lets everything come to rest, and then holds clients, roster and truth against
// each other.
func (w *world) rest() {
	if w.failed() != nil {
		return
	}
	w.upstream.ClearFaults()
	w.placeholders, w.resting = 0, true
	w.letIn(0, "connected", "listener")
	for _, c := range w.clients {
		if c.deafFor() > 0 {
			c.close()
		}
		c.deafen(0)
	}
	w.writes.running.Wait()
	w.pass(lastFault)
	for _, c := range w.clients {
		if c.stream == nil {
			c.open(c.token)
		}
	}
	w.pass(restFor)
	if w.history.Surplus > 0 {
		w.pass(learnFor)
	}
	if w.failed() == nil {
		w.fail("at rest", w.atRest())
		w.fail("writes", w.writes.check(w))
	}
}

func (w *world) atRest() error {
	state := w.gateway.state()
	switch {
	case !known(state):
		return errors.New("W10: the feed is not known")
	case w.undecided(state):
		w.seen.add(surplusUndecided)
	case state.Stale:
		return fmt.Errorf("W10: the feed is not fresh: %+v", state)
	default:
		if err := w.isTrue(state.Participants); err != nil {
			return fmt.Errorf("the gateway's roster: %w", err)
		}
	}
	for slot, c := range w.clients {
		if c.stream == nil {
			return fmt.Errorf("client %d has no stream", slot)
		}
		if err := holds(c.held, state.Participants, c.filter); err != nil {
			return fmt.Errorf("client %d: %w", slot, err)
		}
	}
	return nil
}

// undecided says whether the upstream counts more than it lists, and the roster holds
// somebody whom no list shows: it may be they who are counted (W7).
func (w *world) undecided(state *feed.State) bool {
	people := map[string]bool{}
	for _, person := range w.upstream.Participants(conference) {
		people[person.ID] = true
	}
	return w.history.Surplus > 0 && state.Stale &&
		slices.ContainsFunc(state.Participants, func(p participant.Participant) bool { return !people[p.ID] })
}

// isTrue holds the roster against the upstream's truth.
func (w *world) isTrue(roster []participant.Participant) error {
	people := w.upstream.Participants(conference)
	held := byID(roster)
	if len(people) != len(roster) {
		return fmt.Errorf("%d people, %d in truth", len(roster), len(people))
	}
	for _, person := range people {
		p := held[person.ID]
		if string(p.Status) != person.Status || string(p.Role) != person.Role || p.Name != person.Name ||
			p.PhoneNumber != person.PhoneNumber || p.Muted != person.Muted {
			return fmt.Errorf("%+v, in truth %+v", p, person)
		}
	}
	return nil
}

// end ends the world, whatever came of it.
func (w *world) end() error {
	for _, c := range slices.Concat(w.clients, w.neighbours) {
		c.close()
	}
	w.gateway.close()
	w.writes.running.Wait()
	return w.failed()
}

// Polled counts lists that were dropped.
func (w *world) Polled(_ time.Duration, err error) {
	if err != nil && apierror.ReasonOf(err) == apierror.UpstreamIncomplete {
		w.seen.add(incomplete)
	}
}

// Appended has the ledger written at each change, so that no position is missed.
func (w *world) Appended(entry feed.Entry) {
	w.lists.appended(entry)
	w.note()
}

// SurplusLearned counts upstreams whose way of counting was found out.
func (w *world) SurplusLearned(int) { w.seen.add(surplusLearned) }

// note takes the gateway's state into the ledger.
func (w *world) note() {
	state := w.gateway.state()
	w.mu.Lock()
	err := w.ledger.take(state)
	w.mu.Unlock()
	w.fail("W2 log", err)
}
