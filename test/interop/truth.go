package main

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/audian/participant-gateway/test/watchclient"
)

// truth is what the driver's own watch of a conference received, directly from the gateway and
// without a filter.
type truth struct {
	// rosters are those after each snapshot and each batch of changes.
	rosters []watchclient.Roster
	claims  []claim
}

// claim is what a watch says about its freshness from a time on. It is not known while the watch is
// disconnected.
type claim struct {
	at     time.Time
	known  bool
	fresh  bool
	reason string
}

// recorder collects a truth.
type recorder struct {
	mu      sync.Mutex
	truth   truth
	changed chan struct{}
}

func newRecorder() *recorder { return &recorder{changed: make(chan struct{})} }

func (r *recorder) roster(held watchclient.Roster) {
	r.update(func() { r.truth.rosters = append(r.truth.rosters, maps.Clone(held)) })
}

func (r *recorder) claim(c claim) {
	r.update(func() { r.truth.claims = appendClaim(r.truth.claims, c) })
}

// appendClaim appends a claim that says something new.
func appendClaim(claims []claim, c claim) []claim {
	if n := len(claims); n > 0 {
		last := claims[n-1]
		if last.at = c.at; last == c {
			return claims
		}
	}
	return append(claims, c)
}

func (r *recorder) update(apply func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	apply()
	close(r.changed)
	r.changed = make(chan struct{})
}

// current returns what is known, and a channel that is closed when more is.
func (r *recorder) current() (truth, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return truth{slices.Clone(r.truth.rosters), slices.Clone(r.truth.claims)}, r.changed
}

// last returns the last roster; nil before the first.
func (t truth) last() watchclient.Roster {
	if len(t.rosters) == 0 {
		return nil
	}
	return t.rosters[len(t.rosters)-1]
}

// filter selects participants, as the filters of a watch do.
type filter struct {
	statuses, roles, ids []string
}

// filterOf returns the filter of a command.
func filterOf(command message) filter {
	return filter{texts(command["statuses"]), texts(command["roles"]), texts(command["participant_ids"])}
}

func texts(list any) []string {
	var all []string
	values, _ := list.([]any)
	for _, value := range values {
		if text, ok := value.(string); ok {
			all = append(all, text)
		}
	}
	return all
}

func (f filter) passes(m watchclient.Member) bool {
	return selects(f.statuses, m.Status) && selects(f.roles, m.Role) && selects(f.ids, m.ID)
}

func selects(values []string, value string) bool {
	return len(values) == 0 || slices.Contains(values, value)
}

// view is a roster through a filter.
type view struct {
	members watchclient.Roster
	// words are what a client prints of the members.
	words         map[string]string
	total, active int
}

func (f filter) view(roster watchclient.Roster) view {
	v := view{members: watchclient.Roster{}, words: map[string]string{}, total: len(roster)}
	for id, member := range roster {
		if member.Status == "connected" || member.Status == "held" {
			v.active++
		}
		if f.passes(member) {
			v.members[id] = member
			v.words[id] = word(member.Status, member.Muted)
		}
	}
	return v
}

// word returns a participant in the form of a roster's values.
func word(status string, muted bool) string {
	if muted {
		return status + "+muted"
	}
	return status
}
