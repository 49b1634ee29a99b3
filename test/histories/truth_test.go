package histories_test

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// gone is the status of somebody whom the upstream does not have.
const gone = ""

// truth is what the upstream's people truly did, as far as anybody can tell: it is
// looked at whenever something is done to it and whenever the upstream is asked, so
// that whatever a list can have shown was seen.
type truth struct {
	upstream *simulator.Simulator

	mu sync.Mutex
	// lives are each person's changes of status, oldest first.
	lives map[string][]moment
	// looked is when the truth was last looked at.
	looked time.Time
}

// moment is a change of status that happened after since and not after seen.
type moment struct {
	status      string
	since, seen time.Time
}

func newTruth(upstream *simulator.Simulator) *truth {
	return &truth{upstream: upstream, lives: map[string][]moment{}, looked: time.Now()}
}

func (t *truth) look() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	here := map[string]bool{}
	for _, person := range t.upstream.Participants(conference) {
		here[person.ID] = true
		t.note(person.ID, person.Status, now)
	}
	for id := range t.lives {
		if !here[id] {
			t.note(id, gone, now)
		}
	}
	t.looked = now
}

func (t *truth) note(id, status string, now time.Time) {
	life := t.lives[id]
	if len(life) > 0 && life[len(life)-1].status == status {
		return
	}
	t.lives[id] = append(life, moment{status: status, since: t.looked, seen: now})
}

// became says whether somebody's status turned into one that fits, from one that does
// not, at a time within from and until.
func (t *truth) became(id string, from, until time.Time, fits func(status string) bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := gone
	for _, m := range t.lives[id] {
		if fits(m.status) && !fits(before) && !m.since.After(until) && !m.seen.Before(from) {
			return true
		}
		before = m.status
	}
	return false
}

// wasThere says whether somebody was there at any time within from and until.
func (t *truth) wasThere(id string, from, until time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	there := false
	for _, m := range t.lives[id] {
		if m.since.After(until) {
			break
		}
		there = m.status != gone || there && !m.seen.Before(from)
	}
	return there
}

// watchedTransport is the upstream's transport: everything is looked at before and
// after each request.
type watchedTransport struct {
	world *world
	next  http.RoundTripper
}

func (t watchedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, neighbour) && t.failsNeighbour() {
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: http.NoBody}, nil
	}
	t.look()
	defer t.look()
	began := time.Now()
	response, err := t.next.RoundTrip(r)
	t.world.lists.note(t.world, r, began, response, err)
	return response, err
}

// failsNeighbour reports whether the next list of a neighbour fails: most do.
func (t watchedTransport) failsNeighbour() bool {
	t.world.mu.Lock()
	defer t.world.mu.Unlock()
	t.world.neighbourLists++
	return t.world.neighbourLists%5 > 1
}

func (t watchedTransport) look() {
	t.world.truth.look()
	t.world.note()
}
