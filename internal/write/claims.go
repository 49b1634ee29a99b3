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
	taken recent[participantID, sending]
	// unresolved are the dials that were sent and whose outcome is open, by conference.
	unresolved map[string]map[*dial]struct{}
	// last is the latest sending.
	last sending
}

// sending numbers the adds in the order in which they were sent, from 1. Clocks
// would not tell which of two came first.
type sending uint64

func newClaims() claims {
	return claims{
		taken:      newRecent[participantID, sending](claimsFor, maxClaims),
		unresolved: make(map[string]map[*dial]struct{}),
	}
}

// open notes that a dial was sent. Whatever was contested before, it did not make.
func (c *claims) open(d *dial) {
	c.last++
	d.sending, d.contested = c.last, false
	conference := d.request.key.Conference
	if c.unresolved[conference] == nil {
		c.unresolved[conference] = make(map[*dial]struct{})
	}
	c.unresolved[conference][d] = struct{}{}
}

// withdraw notes that a dial made nobody.
func (c *claims) withdraw(d *dial) {
	conference := d.request.key.Conference
	delete(c.unresolved[conference], d)
	if len(c.unresolved[conference]) == 0 {
		delete(c.unresolved, conference)
	}
}

// settle notes whom a dial made.
func (c *claims) settle(d *dial, id string) {
	c.taken.put(participantID{d.request.key.Conference, id}, 0, time.Now())
	c.withdraw(d)
}

// leaveOpen notes that nobody will know whom a dial made, if anybody: it may have
// been one of those seen, or one that another unresolved dial takes for its own.
func (c *claims) leaveOpen(d *dial, seen []participant.Item) {
	conference, now := d.request.key.Conference, time.Now()
	for _, item := range seen {
		id := participantID{conference, item.ID}
		if _, taken := c.taken.get(id, now); !taken {
			c.taken.put(id, c.last, now)
		}
	}
	c.withdraw(d)
	for other := range c.unresolved[conference] {
		other.contested = other.contested || mistakable(other.add, d.add)
	}
}

// free are those of the items that no other dial has or may have made.
func (c *claims) free(d *dial, items []participant.Item) []participant.Item {
	var free []participant.Item
	now := time.Now()
	for _, item := range items {
		after, taken := c.taken.get(participantID{d.request.key.Conference, item.ID}, now)
		if !taken || d.sending <= after {
			free = append(free, item)
		}
	}
	return free
}

// rivalled says whether an unresolved dial may yet turn out to have made what d
// takes for its own.
func (c *claims) rivalled(d *dial) bool {
	for other := range c.unresolved[d.request.key.Conference] {
		if other != d && mistakable(d.add, other.add) {
			return true
		}
	}
	return false
}

// mistakable says whether what other makes could be taken for what add makes. That
// holds for equal adds, and where add leaves open what other names. A role that
// other leaves to the upstream may turn out to be add's.
func mistakable(add, other participant.Add) bool {
	return samePhone(add.PhoneNumber, other.PhoneNumber) &&
		(add.Name == "" || add.Name == other.Name) &&
		(add.Role == "" || other.Role == "" || add.Role == other.Role)
}
