package replicahistories_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// The counters: what histories did and tested.
const (
	historyPlayed       = "histories"
	polled              = "R1 lists read by one replica at a time"
	pollMoved           = "R1 list by another replica than the one before"
	resumedHere         = "R2 resumed at the same replica"
	resumedElsewhere    = "R2 resumed at another replica"
	replayedElsewhere   = "R2 missed changes replayed by another replica"
	allRestarted        = "R2 all replicas restarted"
	tookOver            = "R3 lease taken from another replica"
	takenOver           = "R3 taken over in time"
	killed              = "R3 killed"
	paused              = "R3 paused"
	fenced              = "R3 list refused by fencing"
	drained             = "R4 drained"
	handedOver          = "R4 handed over in time"
	addedMany           = "R5 many adds at once"
	rateChecked         = "R5 rate of adds checked"
	addedTwice          = "R6 one request at two replicas at once"
	oneOutcome          = "R6 one outcome for several calls"
	outcomeUnknown      = "R6 outcome unknown"
	writeFollowed       = "R7 write followed by another replica"
	cutOff              = "R8 cut off from Redis"
	delayed             = "R8 Redis slow"
	staleWhileAway      = "R8 stale while Redis is away"
	openedStale         = "R8 stale checkpoint before the first state"
	refusedWithoutRedis = "R8 add refused without Redis"
	flushed             = "R8 Redis flushed"
	restartedEmpty      = "R8 Redis restarted empty"
	restartedWithData   = "R8 Redis restarted with its data"
	failedOver          = "R8 failed over to an older copy"
	epochChanged        = "R8 snapshot of a new log"
	turnedStale         = "W10 turned stale"
	turnedFresh         = "W10 turned fresh"
	keysExpire          = "R9 every key expires"
	tokenShared         = "R10 token shared"
	twoVersions         = "R11 two versions at once"
	versionChanged      = "R11 snapshot at the other version"
	skewed              = "R12 clock wrong by a minute"
	watchedMany         = "A16 watched through a stream of many"
	emptyAtRest         = "empty at rest"
	initialSnapshot     = "SNAPSHOT_REASON_INITIAL"
)

var wanted = []string{
	historyPlayed, initialSnapshot, polled, pollMoved, resumedHere, resumedElsewhere, replayedElsewhere, allRestarted,
	tookOver, takenOver, killed, paused, fenced, drained, handedOver, addedMany, rateChecked, addedTwice, oneOutcome, outcomeUnknown,
	writeFollowed, cutOff, delayed, staleWhileAway, openedStale, refusedWithoutRedis, flushed, restartedEmpty, restartedWithData,
	failedOver, epochChanged, turnedStale, turnedFresh, keysExpire, tokenShared, twoVersions, versionChanged, skewed, watchedMany,
}

// counts counts how often each of them happened.
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
