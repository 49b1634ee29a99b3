package sharedclaims

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/audian/participant-gateway/internal/participant"
)

// maxDecisions is how often a decision is made again because the adds have changed meanwhile.
const maxDecisions = 5

// Identify implements write.Claim. It decides on what Redis has, and claims the participant only
// if nothing has changed since.
func (c *claim) Identify(ctx context.Context, ids []string, competes func(participant.Add) bool) (string, bool) {
	if c.lastNumber() == 0 {
		return "", false // Redis was away when it was sent: other replicas did not know of it.
	}
	for range maxDecisions {
		known, err := c.load(ctx, ids)
		if err != nil {
			return "", false
		}
		id, certain := c.decide(known, ids, competes)
		if !certain {
			return "", false
		}
		value, err := c.store.conn.Run(ctx, assignScript, []string{c.addsKey(), c.timesKey(), c.participantKey(id)},
			known.version, c.attempt, lifetime.Milliseconds())
		if err != nil {
			return "", false
		}
		if value == int64(1) {
			return id, true
		}
	}
	return "", false
}

func (c *claim) lastNumber() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.number
}

// conference is what Redis has of a conference.
type conference struct {
	version string
	// others are the adds without an outcome, but this one.
	others []sentAdd
	// participants are who created each of the ids.
	participants []string
}

// sentAdd is an add without an outcome.
type sentAdd struct {
	add participant.Add
	// lost is 0, or the number of the last add when it became certain that the outcome stays
	// unknown.
	lost int64
	// isReadable is false for an add of another version of the gateway.
	isReadable bool
}

func (c *claim) load(ctx context.Context, ids []string) (conference, error) {
	keys := make([]string, 0, 1+len(ids))
	keys = append(keys, c.addsKey())
	for _, id := range ids {
		keys = append(keys, c.participantKey(id))
	}
	value, err := c.store.conn.Run(ctx, addsScript, keys)
	if err != nil {
		return conference{}, err
	}
	r := replyOf(value)
	if len(r) != len(keys) {
		return conference{}, fmt.Errorf("read the adds of a conference: %d values for %d keys", len(r), len(keys))
	}
	var known conference
	fields := replyOf(r[0])
	for i := 0; i+1 < len(fields); i += 2 {
		switch name := fields.text(i); name {
		case "v":
			known.version = fields.text(i + 1)
		case "n", c.attempt:
		default:
			known.others = append(known.others, readSent(fields.text(i+1)))
		}
	}
	for i := range ids {
		known.participants = append(known.participants, r.text(i+1))
	}
	return known, nil
}

// readSent reads "FORMAT NUMBER LOST ADD".
func readSent(text string) sentAdd {
	parts := strings.SplitN(text, " ", 4)
	if len(parts) < 4 {
		return sentAdd{}
	}
	add, ok := decodeAdd(parts[3])
	lost, err := strconv.ParseInt(parts[2], 10, 64)
	return sentAdd{add: add, lost: lost, isReadable: ok && err == nil}
}

// decide returns the participant that the add created, if that is certain. An add without an
// outcome may still claim a candidate, so that the decision must wait for it.
func (c *claim) decide(known conference, ids []string, competes func(participant.Add) bool) (id string, certain bool) {
	number := c.lastNumber()
	for _, other := range known.others {
		switch {
		case other.isReadable && !competes(other.add):
		case other.isReadable && other.lost > 0:
			c.ambiguous = c.ambiguous || number <= other.lost
		default:
			return "", false
		}
	}
	var unclaimed []string
	for i, value := range known.participants {
		if c.mayHaveCreated(number, value) {
			unclaimed = append(unclaimed, ids[i])
		}
	}
	c.ambiguous = c.ambiguous || len(unclaimed) > 1
	if c.ambiguous || len(unclaimed) == 0 {
		return "", false
	}
	return unclaimed[0], true
}

// mayHaveCreated reads "NUMBER ATTEMPT". A participant without a readable value may be of this
// add only if it has none.
func (c *claim) mayHaveCreated(own int64, value string) bool {
	if value == "" {
		return true
	}
	number, attempt, _ := strings.Cut(value, " ")
	last, err := strconv.ParseInt(number, 10, 64)
	return err == nil && (attempt == c.attempt || own <= last)
}
