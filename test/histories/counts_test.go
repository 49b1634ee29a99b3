package histories_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// What the histories are to put to the test.
const (
	snapInitial      = "snapshot initial"
	snapExpired      = "snapshot resume_expired"
	snapFiltered     = "snapshot filter_changed"
	snapLagged       = "snapshot lagged"
	turnedStale      = "W10 turned stale"
	turnedFresh      = "W10 turned fresh"
	freshBesideOther = "W10 fresh beside failing conferences"
	openedStale      = "W1 opened stale"
	suppressed       = "W5 answer not published"
	heldAbsence      = "W6 absence held back"
	heldPresence     = "W6 presence held back"
	lingered         = "W6 lingering confirmed a remove"
	provenOnce       = "W7 missing once"
	provenTwice      = "W7 removed by two lists"
	incomplete       = "W7 incomplete list"
	placeholderRead  = "W7 list without an array"
	misled           = "W7 misled by a list without an array"
	oddRead          = "W7 odd field"
	surplusUndecided = "W7 surplus undecided"
	surplusLearned   = "W7 surplus learned"
	enteredFilter    = "W17 entered the filter"
	leftFilter       = "W17 left the filter"
	resumed          = "W4 resume replayed"
	conferenceEnd    = "W11 end"
	refusedOpen      = "W1 refused"
	blockedClient    = "W12 blocked"
	addFound         = "A1 lost answer found"
	addUnknown       = "A1 outcome unknown"
	addReplayed      = "A2 replayed"
	removedTold      = "removed by a write"
	historyPlayed    = "histories"
)

var wanted = []string{
	historyPlayed, snapInitial, snapExpired, snapFiltered, snapLagged, turnedStale, turnedFresh, freshBesideOther, openedStale,
	suppressed, heldAbsence, heldPresence, lingered, provenOnce, provenTwice, incomplete, placeholderRead, misled, oddRead,
	surplusLearned, surplusUndecided, enteredFilter, leftFilter,
	resumed, conferenceEnd, refusedOpen, blockedClient, addFound, addUnknown, addReplayed, removedTold,
}

// counts are how often each was.
type counts struct {
	mu sync.Mutex
	of map[string]int
}

func (c *counts) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]int{}
	}
	c.of[what]++
}

func (c *counts) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var lines strings.Builder
	for _, what := range wanted {
		fmt.Fprintf(&lines, "%8d %s\n", c.of[what], what)
	}
	return lines.String()
}

func (c *counts) missing() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(wanted), func(what string) bool { return c.of[what] > 0 })
}
