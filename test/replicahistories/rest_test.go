package replicahistories_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/test/watchmodel"
)

var errNotStale = errors.New("R8: the stream is not stale although Redis has been away for 5s")

// restLimit is how long the replicas may take, after the last fault, until they show the truth: the
// windows of writes, back-offs and the time until Redis is found again.
const restLimit = 20 * time.Second

// rest ends all faults, waits until every client holds the truth, and compares the rest.
func (w *world) rest() {
	w.notef("rest")
	w.upstream.ClearFaults()
	for _, r := range w.replicas {
		r.proxy.Restore()
		r.gate.resume()
	}
	w.calls.Wait()
	w.reconnect()
	var last error
	if !w.until(restLimit, func() bool { last = w.atRest(); return last == nil }) {
		w.fail("at rest", last)
	}
	w.checkAdds()
	w.fail("R5", w.checkRate())
	w.fail("R8", w.checkEpochs())
	w.fail("R9", w.checkKeys())
}

// atRest returns why the clients and replicas do not show the truth yet.
func (w *world) atRest() error {
	people := w.upstream.Participants(conference)
	for _, r := range w.replicas {
		if state := r.state(); state != nil && state.Known {
			if err := w.isTrue(r, state); err != nil {
				return err
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.clients {
		people, known := w.ledger.Roster(c.at)
		switch {
		case c.stream == nil || !c.stream.hasState:
			return fmt.Errorf("%s has no roster", c.name)
		case c.stream.stale:
			return fmt.Errorf("%s is stale: %s", c.name, c.stream.reason)
		case !known || c.stream.messages == 0:
			return fmt.Errorf("%s has nothing", c.name)
		}
		if err := c.held.Equals(people, c.filter); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if err := sameRoster(c.stream.replica.state(), people, c.filter); err != nil {
			return fmt.Errorf("%s lags: %w", c.name, err)
		}
	}
	if len(people) == 0 {
		w.seen.add(emptyAtRest)
	}
	return nil
}

// sameRoster compares what the filter shows of a client's roster and of its replica's.
func sameRoster(state *feed.State, people []participant.Participant, filter participant.Filter) error {
	if state == nil {
		return errors.New("no feed")
	}
	shown, held := 0, watchmodel.ByID(people)
	for _, p := range state.People.Copy() {
		if !filter.Match(p) {
			continue
		}
		shown++
		if participant.Changed(held[p.ID], p)&^participant.FieldCreatedAt != 0 {
			return fmt.Errorf("%+v, want %+v", held[p.ID], p)
		}
	}
	for _, p := range people {
		if filter.Match(p) {
			shown--
		}
	}
	if shown != 0 {
		return errors.New("another number of participants")
	}
	return nil
}

// isTrue compares a replica's roster with the upstream.
func (w *world) isTrue(r *replica, state *feed.State) error {
	people := w.upstream.Participants(conference)
	held := watchmodel.ByID(state.People.Copy())
	switch {
	case state.Stale:
		return fmt.Errorf("%s is stale: %s", r.name, state.StaleReason)
	case len(people) != len(held):
		return fmt.Errorf("%s has %d participants, want %d", r.name, len(held), len(people))
	}
	for _, person := range people {
		p := held[person.ID]
		if string(p.Status) != person.Status || string(p.Role) != person.Role || p.Name != person.Name || p.Muted != person.Muted {
			return fmt.Errorf("%s has %+v, want %+v", r.name, p, person)
		}
	}
	return nil
}

// addsPerSecond is A3's rate.
const addsPerSecond = 10

// checkRate fails if more adds were sent in a second than the rate allows, unless Redis was away
// from a replica (R8).
func (w *world) checkRate() error {
	var sent []time.Time
	for _, dial := range w.upstream.Dials() {
		sent = append(sent, dial.Time)
	}
	const exact = 950 * time.Millisecond // The upstream's second begins when it receives an add.
	for i := addsPerSecond; i < len(sent); i++ {
		if took := sent[i].Sub(sent[i-addsPerSecond]); took < exact && !w.disturbed(sent[i].Add(-6*time.Second), sent[i]) {
			return fmt.Errorf("%d adds were sent within %s", addsPerSecond+1, took)
		}
	}
	if len(sent) > addsPerSecond {
		w.seen.add(rateChecked)
	}
	return nil
}

// checkEpochs fails if there were more logs than losses of Redis explain.
func (w *world) checkEpochs() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for version, n := range w.logs {
		if n > 1+len(w.losses) {
			return fmt.Errorf("version %d began %d logs, Redis lost %d", version, n, len(w.losses))
		}
	}
	return nil
}

// checkKeys fails if a key does not expire (R9), or Redis has a secret (R10).
func (w *world) checkKeys() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	names, err := w.redis.Client().Keys(ctx, "*").Result()
	if err != nil {
		return fmt.Errorf("list the keys: %w", err)
	}
	for _, name := range names {
		life, err := w.redis.Client().PTTL(ctx, name).Result()
		if err != nil || life == -1 {
			return fmt.Errorf("%s does not expire: %w", name, err)
		}
		value := w.redis.Client().Dump(ctx, name).Val()
		for _, secret := range w.shown.secrets() {
			if strings.Contains(name+value, secret) {
				return fmt.Errorf("R10: %s contains a secret", name)
			}
		}
	}
	w.seen.add(keysExpire)
	if w.shown.exchanges < w.started {
		w.seen.add(tokenShared)
	}
	return nil
}

func (s *shown) secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	secrets := []string{apiKey}
	for token := range s.tokens {
		secrets = append(secrets, token)
	}
	return secrets
}

// end closes everything, and returns the first failure.
func (w *world) end() error {
	for _, c := range w.clients {
		c.close()
	}
	close(w.done)
	for _, r := range w.replicas {
		if r != nil {
			r.kill()
		}
	}
	w.calls.Wait()
	w.background.Wait()
	w.observers.Wait()
	return w.failed()
}
