package write

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// Claims are kept for claimTTL, at most maxClaims of them.
const (
	claimTTL  = 10 * time.Minute
	maxClaims = 1 << 16
)

// participantID identifies a participant without the credential: A1 covers every add of this
// gateway.
type participantID struct {
	conference, id string
}

// claims record which participants a lost add cannot have created (A1), because another add
// of this gateway created them, or may have. Writer.mu guards them.
type claims struct {
	// claimed maps a participant to a sequence number. An add with a larger number did not
	// create the participant; if the number is 0, no add did.
	claimed ttlMap[participantID, sequence]
	// unresolved are the operations by conference that were sent and have no outcome.
	unresolved map[string]map[*addOperation]struct{}
	// last is the sequence number of the latest request.
	last sequence
	// compare decides which adds are equal.
	compare comparison
}

// sequence numbers the adds in the order in which they were sent, starting with 1. Two adds
// may be sent at the same clock time.
type sequence uint64

func newClaims(compare comparison) claims {
	return claims{
		compare:    compare,
		claimed:    newTTLMap[participantID, sequence](claimTTL, maxClaims),
		unresolved: make(map[string]map[*addOperation]struct{}),
	}
}

// open notes that an operation was sent, and that its former ambiguity does not concern this
// request.
func (c *claims) open(op *addOperation) {
	c.last++
	op.sequence, op.ambiguous = c.last, false
	conference := op.request.key.Conference
	if c.unresolved[conference] == nil {
		c.unresolved[conference] = make(map[*addOperation]struct{})
	}
	c.unresolved[conference][op] = struct{}{}
}

// withdraw notes that an operation created no participant.
func (c *claims) withdraw(op *addOperation) {
	conference := op.request.key.Conference
	delete(c.unresolved[conference], op)
	if len(c.unresolved[conference]) == 0 {
		delete(c.unresolved, conference)
	}
}

// assign notes which participant an operation created.
func (c *claims) assign(op *addOperation, id string) {
	c.claimed.put(participantID{op.request.key.Conference, id}, 0, time.Now())
	c.withdraw(op)
}

// leaveUnresolved notes that it will never be known which participant an operation created:
// perhaps one of the candidates, perhaps one that matches another unresolved operation.
func (c *claims) leaveUnresolved(op *addOperation, candidates []participant.Item) {
	conference, now := op.request.key.Conference, time.Now()
	for _, item := range candidates {
		id := participantID{conference, item.ID}
		if _, claimed := c.claimed.get(id, now); !claimed {
			c.claimed.put(id, c.last, now)
		}
	}
	c.withdraw(op)
	for other := range c.unresolved[conference] {
		other.ambiguous = other.ambiguous || c.compare.ambiguous(other.add, op.add)
	}
}

// unclaimed returns the items that no other operation created or may have created.
func (c *claims) unclaimed(op *addOperation, items []participant.Item) []participant.Item {
	var unclaimed []participant.Item
	now := time.Now()
	for _, item := range items {
		last, claimed := c.claimed.get(participantID{op.request.key.Conference, item.ID}, now)
		if !claimed || op.sequence <= last {
			unclaimed = append(unclaimed, item)
		}
	}
	return unclaimed
}

// hasCompetitor reports whether another unresolved operation may have created a participant
// that matches op.
func (c *claims) hasCompetitor(op *addOperation) bool {
	for other := range c.unresolved[op.request.key.Conference] {
		if other != op && c.compare.ambiguous(op.add, other.add) {
			return true
		}
	}
	return false
}
