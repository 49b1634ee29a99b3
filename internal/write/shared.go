package write

import (
	"context"
	"errors"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// Shared is what the replicas of a gateway know together about their adds (R6).
type Shared interface {
	// Claim claims an add before it waits for its turn. It waits while another replica has the
	// claim. Its errors are ErrRequestIDReused, that of ctx, or mean that the shared state is
	// unavailable.
	Claim(ctx context.Context, add SharedAdd) (Claimed, error)
}

// SharedAdd is an add as replicas compare it.
type SharedAdd struct {
	// Scope identifies the request. Two adds with equal scopes are the same; an empty scope
	// equals no other.
	Scope      string
	Conference string
	Add        participant.Add
	// Waits is called before Claim waits for another replica; nil if nobody wants to know.
	Waits func()
}

// Claimed is a claim, or the outcome that another replica has.
type Claimed struct {
	// Claim is nil if there is an Outcome.
	Claim   Claim
	Outcome *Outcome
	// SentAt is zero unless another replica, which is gone, may have sent the add then. It must
	// not be sent again, only reconciled (A1).
	SentAt time.Time
}

// Claim is one attempt at an add. The holder calls Settle or Release in the end.
type Claim interface {
	// Mark must succeed before each request: from then on nobody else sends the add. Its errors
	// are ErrTakenOver, ErrNotAcknowledged, that of ctx, or mean that the shared state is
	// unavailable. It succeeds for every add without a scope.
	Mark(ctx context.Context) error
	// Identify returns which of the participants the add created, and claims it, if that is
	// certain (A1). competes reports whether a participant of another add may match this one.
	Identify(ctx context.Context, ids []string, competes func(other participant.Add) bool) (id string, certain bool)
	// Settle shares the outcome, and returns it, or the one that was shared before. An error
	// means that it is not shared yet.
	Settle(ctx context.Context, outcome Outcome) (Outcome, error)
	// Release gives up a claim whose add was not sent: another caller may send it.
	Release(ctx context.Context)
}

// Outcome is the result of an add.
type Outcome struct {
	Item participant.Item
	Err  *apierror.Error
	// AnsweredAt is when it was shared; Settle sets it.
	AnsweredAt time.Time
	// Candidates are those that an add with an unknown outcome may have created.
	Candidates []string
	// IsEntry is true for an entry of a batch.
	IsEntry bool
}

// IsRemembered reports whether later calls with the request id get the outcome: unless the add
// surely did not dial, or nothing is known of it (A2). An entry that the upstream has refused is
// remembered too (A9).
func (o Outcome) IsRemembered() bool {
	if o.Err == nil {
		return true
	}
	switch o.Err.Reason {
	case apierror.SharedStateUnavailable, apierror.Draining:
		return false
	default:
		return o.Err.Dialled == apierror.DialledUnknown || o.IsEntry && isRefused(o.Err)
	}
}

// isRefused reports whether the upstream has refused an add, and would refuse it again.
func isRefused(err *apierror.Error) bool {
	return err.UpstreamStatus != 0 && apierror.Classify(err) == apierror.Refused && !apierror.IsUnavailable(err)
}

// Errors of Shared and Claim.
var (
	// ErrRequestIDReused means that the scope was claimed for an add with other arguments.
	ErrRequestIDReused = errors.New("the request id was used for another add")
	// ErrTakenOver means that the claim is no longer that of this replica.
	ErrTakenOver = errors.New("the claim was taken over")
	// ErrNotAcknowledged means that the mark might be lost. Nobody sends the add.
	ErrNotAcknowledged = errors.New("no replica of the shared state has acknowledged the claim")
)
