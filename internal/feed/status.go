package feed

import (
	"maps"
	"net/http"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

// Status is what a poll has learned besides the roster: whether the roster is fresh, and when
// the next list is due. The processes that do not poll learn it from the log, and one of them
// goes on from it when it polls next. All times are of the log's clock.
type Status struct {
	// Listed reports that a list was applied, complete or not: the batch has its marks.
	Listed bool `json:"l,omitzero"`
	// Interval is the interval in force.
	Interval time.Duration `json:"i,omitzero"`

	Stale  bool            `json:"s,omitzero"`
	Reason apierror.Reason `json:"r,omitzero"`
	// LastSuccess is when the last complete list began, Took its duration.
	LastSuccess time.Time                     `json:"ls,omitzero"`
	Took        time.Duration                 `json:"t,omitzero"`
	LastFailure apierror.Reason               `json:"lf,omitzero"`
	RefusedAt   map[apierror.Reason]time.Time `json:"ra,omitzero"`

	// Started is when the last list started that has ended.
	Started      time.Time     `json:"st,omitzero"`
	Want         time.Duration `json:"w,omitzero"`
	ListTime     time.Duration `json:"lt,omitzero"`
	Failures     int           `json:"f,omitzero"`
	BackoffUntil time.Time     `json:"b,omitzero"`
	RetryAt      time.Time     `json:"ru,omitzero"`

	// Ended is how the upstream ended the conference; nil if it has not.
	Ended *Ending `json:"e,omitzero"`
}

// Ending is an End in plain values.
type Ending struct {
	Reason  apierror.Reason `json:"r,omitzero"`
	Message string          `json:"m,omitzero"`
	Status  int             `json:"s,omitzero"`
	Gone    bool            `json:"g,omitzero"`
}

// newStatus returns the status for other processes. f.mu is held.
func (f *Feed) newStatus(fresh *freshness, s *schedule, end *End) *Status {
	shared := func(t time.Time) time.Time { return shift(t, f.logs.Ahead()) }
	return &Status{
		Interval:    s.intervalInForce(time.Now(), f.paceOf(s)),
		Stale:       fresh.stale,
		Reason:      fresh.reason,
		LastSuccess: fresh.lastSuccess,
		Took:        fresh.took,
		LastFailure: fresh.lastFailure,
		RefusedAt:   shiftAll(fresh.refusedAt, f.logs.Ahead()),

		Started:      shared(s.endedStart),
		Want:         s.want,
		ListTime:     s.listTime,
		Failures:     s.failures,
		BackoffUntil: shared(s.backoffUntil),
		RetryAt:      shared(s.retryAt),
		Ended:        end.ending(),
	}
}

// ending returns the end in plain values; nil for none.
func (e *End) ending() *Ending {
	if e == nil {
		return nil
	}
	err := apierror.From(e.Err)
	return &Ending{Reason: err.Reason, Message: err.Message, Status: err.UpstreamStatus, Gone: e.Gone}
}

// end is the inverse of ending.
func (e *Ending) end() *End {
	if e == nil {
		return nil
	}
	err := &apierror.Error{Reason: e.Reason, Message: e.Message, UpstreamStatus: e.Status, FromUpstream: e.Status >= http.StatusBadRequest}
	return &End{Err: err, Gone: e.Gone}
}

// adopt takes the freshness that the process which polls has found at a time of the log's
// clock. How old the roster is, is measured from now on (R12). f.mu is held.
func (f *Feed) adopt(status *Status, at time.Time) {
	fresh := f.freshness
	fresh.stale, fresh.reason, fresh.lastFailure = status.Stale, status.Reason, status.LastFailure
	fresh.lastSuccess, fresh.took = status.LastSuccess, status.Took
	fresh.since = time.Now().Add(-max(at.Sub(status.LastSuccess), 0))
	fresh.refusedAt = shiftAll(status.RefusedAt, -f.logs.Ahead())
	if end := status.Ended.end(); end != nil && f.end == nil {
		f.end = end
	}
}

// resume goes on from what the process that polled before has learned. ahead is by how much
// the status' clock is ahead.
func (s *schedule) resume(status *Status, ahead time.Duration) {
	local := func(t time.Time) time.Time { return shift(t, -ahead) }
	s.want, s.listTime, s.failures = status.Want, status.ListTime, status.Failures
	s.started, s.endedStart = local(status.Started), local(status.Started)
	s.backoffUntil, s.retryAt = local(status.BackoffUntil), local(status.RetryAt)
	s.expected, s.factor, s.endedTook = status.Interval, 1, 0
}

func shiftAll(times map[apierror.Reason]time.Time, by time.Duration) map[apierror.Reason]time.Time {
	shifted := maps.Clone(times)
	if shifted == nil {
		shifted = map[apierror.Reason]time.Time{}
	}
	for reason, t := range shifted {
		shifted[reason] = shift(t, by)
	}
	return shifted
}

// shift returns a time by another clock; no time stays none.
func shift(t time.Time, by time.Duration) time.Time {
	if t.IsZero() || by == 0 {
		return t
	}
	return t.Add(by)
}
