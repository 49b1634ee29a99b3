package upstream

import "time"

// Shared is the part of an account that several processes share (R5); each field may be nil.
// No method blocks or calls a function that it was given, so that each may be called under a
// lock.
type Shared struct {
	Adds  AddTurns
	Polls PollTurns
}

// AddTurns gives this process its turns for adds, one at a time (A3).
type AddTurns interface {
	// Start is called once, first. changed is called when another method may return something
	// else than before.
	Start(changed func())
	// Want says whether an add waits.
	Want(waits bool)
	// Take takes a turn that has come.
	Take() (turn Turn, ok bool)
	// Unshared returns a turn that this process takes alone. If it can share turns again soon
	// after, the add counts for all.
	Unshared() Turn
	// Forecast returns what this process knows of the turns to come.
	Forecast() Forecast
}

// Turn is the permission for one add. Sent may be called more than once: the last call counts.
type Turn interface {
	// Sent says that the add's request is written now.
	Sent()
	// Return says that the add is not sent.
	Return()
}

// SharedAddWindow is addWindow for adds of several processes: their ways to the upstream differ.
const SharedAddWindow = time.Second + 50*time.Millisecond

// Forecast is what the turns of this process depend on.
type Forecast struct {
	// Alone is by how much this process divides the account's rate while it cannot share turns;
	// zero while it can.
	Alone int
	// Ahead is the number of turns of other processes before the next one of this process, which
	// then has each Every-th.
	Ahead, Every int
	// Sent are the times of the adds of all processes, in order. Unsent is the number of turns
	// that have come and whose adds are not sent yet.
	Sent   []time.Time
	Unsent int
}

// PollTurns gives this process its turns for poll requests (W15).
type PollTurns interface {
	// Start is called once, first.
	Start(listener PollListener)
	// Alone is that of Forecast.
	Alone() int
	// Want says what waits.
	Want(waits Waiting)
	// Take takes a turn that has come.
	Take() (kind PollKind, ok bool)
	// Limit pauses the polls of all processes, and halves their rate.
	Limit(pause time.Duration, halve bool)
}

// PollListener are functions that PollTurns calls.
type PollListener struct {
	// Changed is called when a turn has come, or Alone may return another number.
	Changed func()
	// Updated is called from time to time with what all processes know.
	Updated func(Common)
	// Demand returns what this process reports to the others from time to time.
	Demand func() Demand
}

// PollKind is what a poll request is for. The lists of each kind go before those of the next
// one, as pollQueue says.
type PollKind uint8

// The kinds of poll requests.
const (
	Reconcile PollKind = iota
	FirstList
	DueList
	EarlyList

	PollKinds
)

// Waiting is since when the oldest request of each kind waits; zero if none does.
type Waiting [PollKinds]time.Time

// Demand is what a process wants of the account's polls.
type Demand struct {
	// Lists are the lists that its feeds want.
	Lists []Lists
	// Ahead is the rate of its urgent requests.
	Ahead float64
	// MostTokens is the largest number of request tokens that the upstream has reported.
	MostTokens int
}

// Lists are some lists with this number of pages together, each wanted every so often.
type Lists struct {
	Every time.Duration
	Pages int
}

// Common is what all processes know of the account's polls.
type Common struct {
	// Others are the demands of the other processes.
	Others []Demand
	// Adds is the number of adds within AddsOver.
	Adds int
	// Limit is the rate after the last halving, at Halved; zero if it was not halved.
	Limit  float64
	Halved time.Time
	// Paused is the time until which polls pause.
	Paused time.Time
}

// AddsOver is the time over which adds are averaged.
const AddsOver = addsOver
