package client

import (
	"strconv"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
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
func (k Kind) String() string {
	switch k {
	case KindSnapshot:
		return "snapshot"
	case KindChanges:
		return "changes"
	case KindFreshness:
		return "freshness"
	case KindDisconnected:
		return "disconnected"
	case KindEnd:
		return "end"
	default:
		return "kind " + strconv.Itoa(int(k))
	}
}

// StaleDisconnected is the stale reason of a state while there is no connection. All other
// stale reasons come from the gateway.
const StaleDisconnected = "DISCONNECTED"

// State is what is known about a conference at one time. Later states do not change it. The
// caller must not change it either, because states share their participants.
type State struct {
	// Kind is what this state reports.
	Kind Kind
	// Roster contains all participants that pass the filters, by their id.
	Roster map[string]*v2.Participant
	// Changes are the changes that led to Roster, for [KindChanges].
	Changes []*v2.ParticipantChange
	// Fresh is whether the roster is up to date.
	Fresh bool
	// StaleReason is why the roster is not fresh: a reason of the gateway, or
	// [StaleDisconnected]. Empty if it is fresh.
	StaleReason string
	// Total is the number of participants in the whole conference, and Active how many of
	// them are connected or held, as the gateway last reported them. nil if not known.
	Total, Active *int32
	// SnapshotReason is why there is a new roster, for [KindSnapshot].
	SnapshotReason v2.SnapshotReason
	// EndReason is why the conference ended, for [KindEnd].
	EndReason v2.WatchEndReason
	// Err is what broke, for [KindDisconnected].
	Err *Error
	// Token is the position of Roster, for [ResumeFrom].
	Token string
}
