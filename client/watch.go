package client

import (
	"context"
	"iter"
	"time"

	conferencev2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// Kind is what a [State] reports.
type Kind int

// The kinds of states.
const (
	// KindSnapshot is a new roster, at the start or when the changes in between are unknown.
	KindSnapshot Kind = iota + 1
	// KindChanges is the roster after a batch of changes.
	KindChanges
	// KindFreshness is a change of Fresh or StaleReason alone.
	KindFreshness
	// KindDisconnected reports that the stream broke. The watch calls again by itself.
	KindDisconnected
	// KindEnd reports that the conference no longer exists. It is the last state.
	KindEnd
)

// String returns the kind in lower case, for example "snapshot".
func (k Kind) String() string { return "" }

// StaleDisconnected is the stale reason of a state while there is no connection. All other
// stale reasons come from the gateway.
const StaleDisconnected = "DISCONNECTED"

// State is what is known about a conference at one time. Later states do not change it. The
// caller must not change it either, because states share their participants.
type State struct {
	// Kind is what this state reports.
	Kind Kind
	// Roster contains all participants that pass the filters, by their id.
	Roster map[string]*conferencev2.Participant
	// Changes are the changes that led to Roster, for [KindChanges].
	Changes []*conferencev2.ParticipantChange
	// Fresh is whether the roster is up to date.
	Fresh bool
	// StaleReason is why the roster is not fresh: a reason of the gateway, or
	// [StaleDisconnected]. Empty if it is fresh.
	StaleReason string
	// Total is the number of participants in the whole conference, and Active how many of
	// them are connected or held, as the gateway last reported them. nil if not known.
	Total, Active *int32
	// SnapshotReason is why there is a new roster, for [KindSnapshot].
	SnapshotReason conferencev2.SnapshotReason
	// EndReason is why the conference ended, for [KindEnd].
	EndReason conferencev2.WatchEndReason
	// Err is what broke, for [KindDisconnected].
	Err *Error
	// Token is the position of Roster, for [ResumeFrom].
	Token string
}

// WatchOption is an option of [Client.Watch].
type WatchOption func(*watchSettings)

type watchSettings struct{}

// Statuses selects participants with one of these statuses. Default: all.
func Statuses(statuses ...conferencev2.ParticipantStatus) WatchOption { return nil }

// Roles selects participants with one of these roles. Default: all.
func Roles(roles ...conferencev2.ParticipantRole) WatchOption { return nil }

// ParticipantIDs selects participants with one of these ids, which need not exist yet.
// Default: all.
func ParticipantIDs(ids ...string) WatchOption { return nil }

// Heartbeat is the longest time between two messages of the gateway: 5 s to 60 s. A
// connection without a message for twice this time is replaced. Default: 15 s.
func Heartbeat(interval time.Duration) WatchOption { return nil }

// ResumeFrom begins with the roster of an earlier state of the same conference and
// continues after it. Only Token and Roster of the state are needed, so that a program can store
// these two together. If the gateway no longer has the changes after it, or the filters
// differ, the first state is a snapshot.
func ResumeFrom(state State) WatchOption { return nil }

// Watch returns the states of a conference: first a snapshot (or, with [ResumeFrom], what
// changed since), then each batch of changes, each change of the freshness, and the end.
//
// When a stream breaks, Watch gives one state of [KindDisconnected], waits, and calls again with the
// last position, so that no change is lost or repeated. It waits as long as the gateway asks for, else 0.25 s, doubled
// with each failure up to 10 s; and up to a quarter longer, by chance. A connection that is silent for two heartbeats is
// replaced by a new one.
//
// The iteration ends after the state of [KindEnd], and without an error when ctx ends or the
// client is closed: a loop that needs to know looks at ctx.Err. It ends with an error when a further call cannot help:
// INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED, UNAUTHENTICATED, FAILED_PRECONDITION,
// UNIMPLEMENTED, OUT_OF_RANGE or ALREADY_EXISTS. The exception is UNAUTHENTICATED on a stream that
// had got a message, with [WithCredential]: Watch calls once more with the next credential.
//
// Watch reads the next message when the loop asks for the next state: a slow loop loses nothing,
// because the gateway keeps the changes, or sends a new snapshot. Each iteration is a watch of its own.
func (c *Client) Watch(ctx context.Context, conference string, options ...WatchOption) iter.Seq2[State, error] {
	return nil
}
