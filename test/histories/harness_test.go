package histories_test

import (
	"context"
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
	"github.com/audian/participant-gateway/test/watchmodel"
)

const (
	conference = "conf"
	// neighbour is the prefix of the conferences of which most lists fail.
	neighbour = "neighbour-"
	clients   = 4
	// observeInterval is the longest time between two observations.
	observeInterval = time.Second
	// restFor is how long nothing happens at the end: until lag windows have ended,
	// consecutive lists are complete, rates are normal, and a quiet conference was polled.
	restFor = 70 * time.Second
	// learnFor is the additional time for an upstream whose total is too large.
	learnFor = 30 * time.Second
	// lastFault is how long a fault may still affect a request after it was cleared.
	lastFault = 8 * time.Second
)

// harness runs one history.
type harness struct {
	history  history
	upstream *simulator.Simulator
	truth    *truth
	gateway  *gateway
	seen     *counts
	clients  []*client
	// neighbours watch the conferences that fail.
	neighbours []*client
	// neighbourLists counts the requests for lists of the neighbours.
	neighbourLists int
	writes         writes
	controls       *controls
	// hides is true if a list may have left out a participant unnoticed.
	hides bool
	start time.Time

	lists *lists
	// placeholders is how many of the next lists contain no array, and altered how many
	// bodies were altered. resting is true at the end, when fields are no longer altered.
	placeholders, altered int
	resting               bool

	// mu guards the ledger and failure.
	mu      sync.Mutex
	ledger  *watchmodel.Ledger
	failure error
}

// run runs a history to its end and returns the first failure.
func run(h history, seen *counts) error {
	w, err := newHarness(h, seen)
	if err != nil {
		return err
	}
	for _, s := range h.Steps {
		w.advance(s.Pause)
		if w.failed() != nil {
			break
		}
		w.truth.observe()
		operations[s.Kind](w, s)
		w.truth.observe()
	}
	w.rest()
	seen.add(historyPlayed)
	return w.end()
}

// watchNeighbours watches other conferences of the account.
func (w *harness) watchNeighbours() {
	for i := range w.history.Neighbours {
		c := &client{harness: w, held: watchmodel.Roster{}, conference: fmt.Sprintf("%s%d", neighbour, i)}
		c.ask(filters[0])
		c.open("")
		w.neighbours = append(w.neighbours, c)
	}
}

// newHarness returns a harness before its first step.
func newHarness(h history, seen *counts) (*harness, error) {
	w := &harness{
		history: h, upstream: simulator.New(h.Upstream), seen: seen,
		ledger: watchmodel.NewLedger(), lists: newLists(), controls: newControls(), start: time.Now(),
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
		c := &client{harness: w, held: watchmodel.Roster{}}
		c.ask(filters[slot%len(filters)])
		w.clients = append(w.clients, c)
		if slot < h.Watching {
			c.open("")
		}
	}
	return w, nil
}

// ask sets the client's filter.
func (c *client) ask(request *v2.WatchParticipantsRequest) {
	c.request = request
	c.filter = wire.Filter(request.GetStatuses(), request.GetRoles(), request.GetParticipantIds())
}

// fail records the first failure.
func (w *harness) fail(what string, err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failure == nil {
		w.failure = fmt.Errorf("%s after %s: %w", what, time.Since(w.start), err)
	}
}

func (w *harness) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failure
}

// advance lets time pass, and checks everything at least every observeInterval.
func (w *harness) advance(d time.Duration) {
	for {
		synctest.Wait()
		w.check()
		if d <= 0 || w.failed() != nil {
			return
		}
		time.Sleep(min(d, observeInterval))
		w.truth.observe()
		d -= observeInterval
	}
}

// rest waits until nothing changes any more, and then compares the clients, the roster and the
// truth.
func (w *harness) rest() {
	if w.failed() != nil {
		return
	}
	w.upstream.ClearFaults()
	w.placeholders, w.resting = 0, true
	w.replaceParticipant(0, "connected", "listener")
	for _, c := range w.clients {
		if c.notReadingFor() > 0 {
			c.close()
		}
		c.stopReading(0)
	}
	w.writes.running.Wait()
	w.advance(lastFault)
	for _, c := range w.clients {
		if c.stream == nil {
			c.open(c.token)
		}
	}
	w.advance(restFor)
	if w.history.Surplus > 0 {
		w.advance(learnFor)
	}
	if w.failed() == nil {
		w.fail("at rest", w.atRest())
		w.fail("writes", w.writes.check(w))
	}
}

func (w *harness) atRest() error {
	state := w.gateway.state()
	switch {
	case !known(state):
		return errors.New("W10: the feed is not known")
	case w.undecided(state):
		w.seen.add(surplusUndecided)
	case state.Stale:
		return fmt.Errorf("W10: the feed is not fresh: %+v", state)
	default:
		if err := w.isTrue(state.People.Copy()); err != nil {
			return fmt.Errorf("the gateway's roster: %w", err)
		}
	}
	for slot, c := range w.clients {
		if c.stream == nil {
			return fmt.Errorf("client %d has no stream", slot)
		}
		if err := c.held.Equals(state.People.Copy(), c.filter); err != nil {
			return fmt.Errorf("client %d: %w", slot, err)
		}
	}
	return nil
}

// undecided reports whether the upstream's total is larger than its list, and the roster
// contains a participant that no list contains: the total may count that one (W7).
func (w *harness) undecided(state *feed.State) bool {
	people := map[string]bool{}
	for _, person := range w.upstream.Participants(conference) {
		people[person.ID] = true
	}
	return w.history.Surplus > 0 && state.Stale &&
		slices.ContainsFunc(state.People.Copy(), func(p participant.Participant) bool { return !people[p.ID] })
}

// isTrue compares the roster with the upstream.
func (w *harness) isTrue(roster []participant.Participant) error {
	people := w.upstream.Participants(conference)
	held := watchmodel.ByID(roster)
	if len(people) != len(roster) {
		return fmt.Errorf("%d participants, want %d", len(roster), len(people))
	}
	for _, person := range people {
		p := held[person.ID]
		if string(p.Status) != person.Status || string(p.Role) != person.Role || p.Name != person.Name ||
			p.PhoneNumber != person.PhoneNumber || p.Muted != person.Muted {
			return fmt.Errorf("%+v, want %+v", p, person)
		}
	}
	return nil
}

// end closes everything and returns the first failure.
func (w *harness) end() error {
	for _, c := range slices.Concat(w.clients, w.neighbours) {
		c.close()
	}
	w.gateway.close()
	w.writes.running.Wait()
	return w.failed()
}

// Polled counts incomplete lists.
func (w *harness) Polled(_ context.Context, _ time.Duration, err error) {
	if err != nil && apierror.ReasonOf(err) == apierror.UpstreamIncomplete {
		w.seen.add(incomplete)
	}
}

// Appended updates the ledger at each change, so that it has every position.
func (w *harness) Appended(entry feed.Entry) {
	w.lists.appended(entry)
	w.note()
}

// SurplusLearned counts upstreams whose surplus the gateway has learned.
func (w *harness) SurplusLearned(int) { w.seen.add(surplusLearned) }

// note adds the gateway's state to the ledger.
func (w *harness) note() {
	state := w.gateway.state()
	w.mu.Lock()
	err := w.ledger.Take(state)
	w.mu.Unlock()
	w.fail("W2 log", err)
}
