package sharedclaims

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/write"
)

var _ write.Shared = (*Store)(nil)

// claim is one attempt at an add by this replica.
type claim struct {
	store *Store
	add   write.SharedAdd
	// key is empty if the add has no scope.
	key, encoded, hash string
	// attempt is random; that of an orphan is its former holder's.
	attempt string
	// ambiguous is true once no list can show any more whose participant is whose (A1). It
	// belongs to Identify.
	ambiguous bool

	mu sync.Mutex
	// state is empty before Redis has the claim.
	state string
	// number is that of the add among those of the conference; 0 before it was marked. sentAt is
	// when it was marked, by Redis' clock.
	number int64
	sentAt time.Time
	// end is how the attempt ended; nil before.
	end       *ending
	changedAt time.Time
}

const (
	claimed = "claimed"
	marked  = "marked"
)

// storedAdd is an add in Redis. Fields may be added; unknown ones are ignored (R11).
type storedAdd struct {
	PhoneNumber string `json:"phone_number"`
	Name        string `json:"name,omitzero"`
	Role        string `json:"role,omitzero"`
	Muted       bool   `json:"muted,omitzero"`
	SMS         bool   `json:"send_pin_via_sms,omitzero"`
}

func (s *Store) newClaim(add write.SharedAdd) (*claim, error) {
	encoded, err := json.Marshal(storedAddOf(add.Add))
	if err != nil {
		return nil, fmt.Errorf("encode an add: %w", err)
	}
	c := &claim{store: s, add: add, encoded: string(encoded), hash: hashText(string(encoded)), attempt: rand.Text(), changedAt: time.Now()}
	if add.Scope != "" {
		c.key = s.claimKey(add.Scope)
	}
	return c, nil
}

func storedAddOf(a participant.Add) storedAdd {
	return storedAdd{a.PhoneNumber, a.Name, string(a.Role), a.Muted, a.SendPINViaSMS}
}

func (s *Store) claimKey(scope string) string { return s.conn.Key("claim", "id", hashText(scope)) }

func hashText(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (c *claim) isScoped() string {
	if c.key == "" {
		return "0"
	}
	return "1"
}

// keys are the claim, the conference's adds and their times. Redis accepts only keys with the
// prefix, also in place of a claim that there is not.
func (c *claim) keys() []string {
	key := c.key
	if key == "" {
		key = c.addsKey()
	}
	return []string{key, c.addsKey(), c.timesKey()}
}

func (c *claim) addsKey() string { return c.store.conn.Key("claim", "adds", encode(c.add.Conference)) }

func (c *claim) timesKey() string {
	return c.store.conn.Key("claim", "times", encode(c.add.Conference))
}

func (c *claim) participantKey(id string) string {
	return c.store.conn.Key("claim", "participant", encode(c.add.Conference), encode(id))
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func decodeAdd(text string) (participant.Add, bool) {
	var stored storedAdd
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		return participant.Add{}, false
	}
	return participant.Add{PhoneNumber: stored.PhoneNumber, Name: stored.Name, Role: participant.Role(stored.Role)}, true
}
