package histories_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// gone is the status of a participant that the upstream does not have.
const gone = ""

// truth records what really happened to the upstream's participants. The harness observes
// them before and after each step and each request, so that truth contains every status that
// a list can contain.
type truth struct {
	upstream *simulator.Simulator

	mu sync.Mutex
	// lives are each participant's changes of status, oldest first, and those of muted under
	// a key of their own.
	lives map[string][]moment
	// observedAt is the time of the last observation.
	observedAt time.Time
}

// moment is a change of status that happened after since and not after seen.
type moment struct {
	status      string
	since, seen time.Time
}

func newTruth(upstream *simulator.Simulator) *truth {
	return &truth{upstream: upstream, lives: map[string][]moment{}, observedAt: time.Now()}
}

func (t *truth) observe() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	here := map[string]bool{}
	for _, person := range t.upstream.Participants(conference) {
		here[person.ID] = true
		t.note(person.ID, person.Status, now)
		here[mutedKey(person.ID)] = true
		t.note(mutedKey(person.ID), strconv.FormatBool(person.Muted), now)
	}
	for id := range t.lives {
		if !here[id] {
			t.note(id, gone, now)
		}
	}
	t.observedAt = now
}

func (t *truth) note(id, status string, now time.Time) {
	life := t.lives[id]
	if len(life) > 0 && life[len(life)-1].status == status {
		return
	}
	t.lives[id] = append(life, moment{status: status, since: t.observedAt, seen: now})
}

// became reports whether a participant's status changed between from and until, from one that
// does not fit to one that fits.
func (t *truth) became(id string, from, until time.Time, fits func(status string) bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := gone
	for _, c := range t.controlled(id, from, until) {
		if fits(c.after) && !fits(c.before) {
			return true
		}
	}
	for _, m := range t.lives[id] {
		if fits(m.status) && !fits(before) && !m.since.After(until) && !m.seen.Before(from) {
			return true
		}
		before = m.status
	}
	return false
}

// intervals returns when a field took a value that it lost again between from and until.
func (t *truth) intervals(id, value string, from, until time.Time) (taken []moment) {
	t.mu.Lock()
	defer t.mu.Unlock()
	life := t.lives[id]
	for i := 1; i < len(life); i++ {
		if lost := life[i]; life[i-1].status == value && !lost.seen.Before(from) && !lost.since.After(until) {
			taken = append(taken, life[i-1])
		}
	}
	return taken
}

// wasThere reports whether a participant was there at any time between from and until.
func (t *truth) wasThere(id string, from, until time.Time) bool {
	return t.was(id, from, until, func(status string) bool { return status != gone })
}

// was reports whether a participant's status fitted at any time between from and until.
func (t *truth) was(id string, from, until time.Time, fits func(status string) bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if slices.ContainsFunc(t.controlled(id, from, until), func(c controlled) bool { return fits(c.after) }) {
		return true
	}
	did := false
	for _, m := range t.lives[id] {
		if m.since.After(until) {
			break
		}
		did = fits(m.status) || did && !m.seen.Before(from)
	}
	return did
}

// controlled is what a control made of a participant's status, or of muted.
type controlled struct{ before, after string }

// controlled returns the changes that controls made between from and until. Several controls
// can take place between two observations.
func (t *truth) controlled(id string, from, until time.Time) []controlled {
	var found []controlled
	for _, c := range t.upstream.ControlChanges() {
		switch {
		case c.Time.Before(from) || c.Time.After(until):
		case id == c.After.ID:
			found = append(found, controlled{c.Before.Status, c.After.Status})
		case id == mutedKey(c.After.ID):
			found = append(found, controlled{strconv.FormatBool(c.Before.Muted), strconv.FormatBool(c.After.Muted)})
		}
	}
	return found
}

// watchedTransport is the upstream's transport. It observes the truth and the gateway before
// and after each request.
type watchedTransport struct {
	harness *harness
	next    http.RoundTripper
}

func (t watchedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, neighbour) && t.failsNeighbour() {
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: http.NoBody}, nil
	}
	t.observe()
	defer t.observe()
	began := time.Now()
	t.harness.controls.wait(r)
	t.observe()
	response, err := t.next.RoundTrip(r)
	t.harness.lists.note(t.harness, r, began, response, err)
	return response, err
}

// failsNeighbour reports whether the next list of a neighbour fails: most do.
func (t watchedTransport) failsNeighbour() bool {
	t.harness.mu.Lock()
	defer t.harness.mu.Unlock()
	t.harness.neighbourLists++
	return t.harness.neighbourLists%5 > 1
}

func (t watchedTransport) observe() {
	t.harness.truth.observe()
	t.harness.note()
}
