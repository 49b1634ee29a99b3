package write

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// Claims are kept this long, and this many at most.
const (
	claimsFor = 10 * time.Minute
	maxClaims = 1 << 16
)

// participantID names a participant whatever the credential: A1 speaks of every add
// of this gateway.
type participantID struct {
	conference, id string
}

// claims know which participants cannot be what a lost add has made (A1), because
// another add of this gateway has, or may have. Writer.mu guards them.
type claims struct {
	// taken tells the sending after which a participant is another's: an add sent
	// later did not make it, and after 0 none did.
	taken ttlMap[participantID, sending]
	// unresolved are the operations that were sent and whose outcome is open, by conference.
	unresolved map[string]map[*addOperation]struct{}
	// last is the latest sending.
	last sending
	// compare decides which adds are equal.
	compare comparison
}

// sending numbers the adds in the order in which they were sent, from 1. Clocks
// would not tell which of two came first.
type sending uint64

func newClaims(compare comparison) claims {
	return claims{
		compare:    compare,
		taken:      newTTLMap[participantID, sending](claimsFor, maxClaims),
		unresolved: make(map[string]map[*addOperation]struct{}),
	}
}

// open notes that an operation was sent. What was ambiguous before does not concern this sending.
func (c *claims) open(op *addOperation) {
	c.last++
	op.sending, op.ambiguous = c.last, false
	conference := op.request.key.Conference
	if c.unresolved[conference] == nil {
		c.unresolved[conference] = make(map[*addOperation]struct{})
	}
	c.unresolved[conference][op] = struct{}{}
}

// withdraw notes that an operation made nobody.
func (c *claims) withdraw(op *addOperation) {
	conference := op.request.key.Conference
	delete(c.unresolved[conference], op)
	if len(c.unresolved[conference]) == 0 {
		delete(c.unresolved, conference)
	}
}

// settle notes whom an operation made.
func (c *claims) settle(op *addOperation, id string) {
	c.taken.put(participantID{op.request.key.Conference, id}, 0, time.Now())
	c.withdraw(op)
}

// leaveUnresolved notes that nobody will know whom an operation made, if anybody: it may have
// been one of those seen, or one that another unresolved operation takes for its own.
func (c *claims) leaveUnresolved(op *addOperation, seen []participant.Item) {
	conference, now := op.request.key.Conference, time.Now()
	for _, item := range seen {
		id := participantID{conference, item.ID}
		if _, taken := c.taken.get(id, now); !taken {
			c.taken.put(id, c.last, now)
		}
	}
	c.withdraw(op)
	for other := range c.unresolved[conference] {
		other.ambiguous = other.ambiguous || c.compare.ambiguous(other.add, op.add)
	}
}

// free are those of the items that no other operation has or may have made.
func (c *claims) free(op *addOperation, items []participant.Item) []participant.Item {
	var free []participant.Item
	now := time.Now()
	for _, item := range items {
		after, taken := c.taken.get(participantID{op.request.key.Conference, item.ID}, now)
		if !taken || op.sending <= after {
			free = append(free, item)
		}
	}
	return free
}

// hasCompetitor says whether an unresolved operation may yet turn out to have made what op
// takes for its own.
func (c *claims) hasCompetitor(op *addOperation) bool {
	for other := range c.unresolved[op.request.key.Conference] {
		if other != op && c.compare.ambiguous(op.add, other.add) {
			return true
		}
	}
	return false
}
