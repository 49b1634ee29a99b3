package histories_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// The counters: what histories tested.
const (
	snapInitial         = "snapshot initial"
	snapExpired         = "snapshot resume_expired"
	snapFilterChanged   = "snapshot filter_changed"
	snapLagged          = "snapshot lagged"
	turnedStale         = "W10 turned stale"
	turnedFresh         = "W10 turned fresh"
	freshBesideFailing  = "W10 fresh beside failing conferences"
	openedStale         = "W1 opened stale"
	suppressed          = "W5 answer not published"
	heldAbsence         = "W6 absence held back"
	heldPresence        = "W6 presence held back"
	lingered            = "W6 lingering confirmed a remove"
	provenOnce          = "W7 missing once"
	provenTwice         = "W7 removed by two lists"
	incomplete          = "W7 incomplete list"
	placeholderRead     = "W7 list without an array"
	misled              = "W7 misled by a list without an array"
	unexpectedFieldRead = "W7 unexpected field"
	surplusUndecided    = "W7 surplus undecided"
	surplusLearned      = "W7 surplus learned"
	enteredFilter       = "W17 entered the filter"
	leftFilter          = "W17 left the filter"
	resumed             = "W4 resume replayed"
	conferenceEnd       = "W11 end"
	refusedOpen         = "W1 refused"
	blockedClient       = "W12 blocked"
	addFound            = "A1 lost answer found"
	addUnknown          = "A1 outcome unknown"
	addReplayed         = "A2 replayed"
	batchLost           = "A9 stream lost"
	batchEnded          = "A9 ended"
	batchResumed        = "A9 resumed to the end"
	removedByWrite      = "removed by a write"
	controlPublished    = "A8 published at once"
	controlHeldBack     = "A8 lag of a control ignored"
	controlAfterAdd     = "A8 controlled just after an add"
	controlLost         = "A8 succeeded after a lost answer"
	controlNotFound     = "A8 not found"
	controlRefused      = "A8 conflict"
	controlDistorted    = "A8 answer shows another value or none"
	hungUpAfterHold     = "A8 hung up after a hold"
	mutedAll            = "A8 muted all"
	historyPlayed       = "histories"
)

var wanted = []string{
	historyPlayed, snapInitial, snapExpired, snapFilterChanged, snapLagged, turnedStale, turnedFresh, freshBesideFailing, openedStale,
	suppressed, heldAbsence, heldPresence, lingered, provenOnce, provenTwice, incomplete, placeholderRead, misled, unexpectedFieldRead,
	surplusLearned, surplusUndecided, enteredFilter, leftFilter,
	resumed, conferenceEnd, refusedOpen, blockedClient, addFound, addUnknown, addReplayed, batchLost, batchEnded, batchResumed, removedByWrite,
	controlPublished, controlHeldBack, controlAfterAdd, controlLost, controlNotFound, controlRefused, controlDistorted, hungUpAfterHold, mutedAll,
}

// counts counts how often each of them happened.
type counts struct {
	// wanted are those that histories must test.
	wanted []string

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
	for _, what := range c.wanted {
		fmt.Fprintf(&lines, "%8d %s\n", c.of[what], what)
	}
	return lines.String()
}

func (c *counts) missing() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.wanted), func(what string) bool { return c.of[what] > 0 })
}
