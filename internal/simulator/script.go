package simulator

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Behaviour is how people behave who are added.
type Behaviour string

// The behaviours.
const (
	// Human people let it ring, mostly answer, are held and muted, and hang up.
	Human Behaviour = "human"
	// Steady people let it ring, answer, and stay as they are.
	Steady Behaviour = "steady"
	// Still people stay pending until told otherwise.
	Still Behaviour = "still"
)

// event is one thing that happens to a call.
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

func (e event) among(events []event) bool { return slices.Contains(events, e) }

// possible says whether e can happen to a call with that status.
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

// step is an event at its time.
type step struct {
	at    time.Time
	event event
}

// fate draws what happens to people, at a speed.
type fate struct {
	*rand.Rand

	scale float64
}

// newFate is the fate of whoever the words name, the same for the same seed.
func newFate(seed uint64, scale float64, words ...string) fate {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(strings.Join(words, "\x00")))
	source := rand.NewPCG(seed, sum.Sum64())
	return fate{Rand: rand.New(source), scale: scale} // A story to be told again, no secret.
}

// between draws a time span, in people's seconds.
func (f fate) between(low, high float64) time.Duration {
	return f.span(low + f.Float64()*(high-low))
}

// span is that many of people's seconds.
func (f fate) span(seconds float64) time.Duration {
	return time.Duration(seconds / f.scale * float64(time.Second))
}

// id draws an id as the vendor forms them.
func (f fate) id() string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	id := []byte("part_")
	for range 10 {
		id = append(id, letters[f.IntN(len(letters))])
	}
	return string(id)
}

// script draws the life of a call that begins at start.
func (f fate) script(b Behaviour, start time.Time) []step {
	if b == Still {
		return nil
	}
	steps, answered := f.ring(start)
	switch {
	case b == Steady:
		return append(steps, step{answered, answerCall})
	case f.Float64() < 0.12:
		return append(steps, step{answered, reject})
	default:
		return append(steps, f.talk(answered, answered.Add(f.between(60, 300)), 15, 60)...)
	}
}

// ring draws the time until somebody picks up, well within the vendor's 60 s.
func (f fate) ring(start time.Time) (steps []step, answered time.Time) {
	dialed := start.Add(f.between(0.3, 0.7))
	return []step{{dialed, dial}}, dialed.Add(f.between(3, 12))
}

// talk draws a conversation: something happens every low to high seconds, and in
// the end the person hangs up.
func (f fate) talk(from, until time.Time, low, high float64) []step {
	steps := []step{{from, answerCall}}
	var isHeld, isMuted bool
	for at := from.Add(f.between(low, high)); at.Before(until); at = at.Add(f.between(low, high)) {
		e := f.incident(isHeld, isMuted)
		isHeld, isMuted = e == hold, e == mute || isMuted && e != unmute
		steps = append(steps, step{at, e})
	}
	return append(steps, step{until, hangUp})
}

func (f fate) incident(isHeld, isMuted bool) event {
	switch {
	case isHeld:
		return resume
	case f.Float64() < 0.35:
		return hold
	case isMuted:
		return unmute
	default:
		return mute
	}
}
