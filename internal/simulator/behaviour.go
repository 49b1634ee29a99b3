package simulator

import (
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"
)

// Behaviour is how participants behave after they were added.
type Behaviour string

// The behaviours.
const (
	// Human participants ring for some seconds, mostly answer, are held and muted, and
	// hang up.
	Human Behaviour = "human"
	// Steady participants ring, answer and stay connected.
	Steady Behaviour = "steady"
	// Still participants stay pending until a request or SetStatus changes them.
	Still Behaviour = "still"
)

// event is a state change of a call.
type event uint8

const (
	dial event = iota
	answerCall
	reject
	hold
	resume
	mute
	unmute
	hangUp
)

// possible reports whether e can happen to a call with that status.
func (e event) possible(status string) bool {
	switch e {
	case dial:
		return status == pending
	case answerCall, reject:
		return status == pending || status == dialing
	case hold:
		return status == connected
	case resume:
		return status == held
	default:
		return !isOver(status)
	}
}

type scheduledEvent struct {
	at    time.Time
	event event
}

// generator draws the ids and timelines of participants. Time passes scale times faster
// in them.
type generator struct {
	*rand.Rand

	scale float64
}

// newGenerator returns the same generator for the same seed and names.
func newGenerator(seed uint64, scale float64, names ...string) generator {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(strings.Join(names, "\x00")))
	source := rand.NewPCG(seed, sum.Sum64())
	return generator{Rand: rand.New(source), scale: scale} // It must be reproducible, not secret.
}

// between draws a duration between low and high seconds of simulated time.
func (g generator) between(low, high float64) time.Duration {
	seconds := low + g.Float64()*(high-low)
	return time.Duration(seconds / g.scale * float64(time.Second))
}

// id draws an id in the format of the API.
func (g generator) id() string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	id := []byte("part_")
	for range 10 {
		id = append(id, letters[g.IntN(len(letters))])
	}
	return string(id)
}

// timeline draws the events of a call that begins at start.
func (g generator) timeline(b Behaviour, start time.Time) []scheduledEvent {
	if b == Still {
		return nil
	}
	events, answered := g.ringing(start)
	switch {
	case b == Steady:
		return append(events, scheduledEvent{answered, answerCall})
	case g.Float64() < 0.12:
		return append(events, scheduledEvent{answered, reject})
	default:
		return append(events, g.conversation(answered, answered.Add(g.between(60, 300)), 15, 60)...)
	}
}

// ringing draws the time until the call is answered, well within the API's 60 s.
func (g generator) ringing(start time.Time) (events []scheduledEvent, answered time.Time) {
	dialed := start.Add(g.between(0.3, 0.7))
	return []scheduledEvent{{dialed, dial}}, dialed.Add(g.between(3, 12))
}

// conversation draws an event every low to high seconds, and a hang-up at the end.
func (g generator) conversation(from, until time.Time, low, high float64) []scheduledEvent {
	events := []scheduledEvent{{from, answerCall}}
	var isHeld, isMuted bool
	for at := from.Add(g.between(low, high)); at.Before(until); at = at.Add(g.between(low, high)) {
		e := g.nextEvent(isHeld, isMuted)
		isHeld, isMuted = e == hold, e == mute || isMuted && e != unmute
		events = append(events, scheduledEvent{at, e})
	}
	return append(events, scheduledEvent{until, hangUp})
}

func (g generator) nextEvent(isHeld, isMuted bool) event {
	switch {
	case isHeld:
		return resume
	case g.Float64() < 0.35:
		return hold
	case isMuted:
		return unmute
	default:
		return mute
	}
}
