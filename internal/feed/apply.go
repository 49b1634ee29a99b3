package feed

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// applyList commits what a list changes. It returns an error if the list was incomplete: such a
// list proves presence, but it is no success (W7). One State contains all effects of the list,
// so that watchers get the changes before the FRESH checkpoint.
func (f *Feed) applyList(ctx context.Context, lease Lease, began roster.LogicalTime, list participant.List) (err error) {
	local := list
	list.Began, list.Ended = shift(list.Began, f.logs.Ahead()), shift(list.Ended, f.logs.Ahead())
	var batch roster.Batch
	recorded := false
	outcome := func(fresh *freshness, s *schedule) {
		fresh.listRead(list, local.Began, batch.Complete)
		s.listRead(len(batch.Changes) > 0 || f.roster.InFlight(list.Ended), local.Ended.Sub(local.Began))
		s.scheduleNext(f.paceOf(s), retryAt(local.Ended, list.PageErr))
	}
	committed := f.commit(ctx, func() *Draft {
		batch = f.roster.PlanPoll(roster.Poll{List: list, Began: began, Applied: began})
		if !batch.Complete {
			err = incomplete(list)
		}
		if !recorded {
			f.source.RecordOutcome(err)
			recorded = true
		}
		status := f.statusAfter(outcome)
		status.Listed = true
		return &Draft{Lease: lease, Batch: batch, Status: status}
	}, func() { outcome(f.freshness, f.schedule) })
	if !committed {
		f.dropList()
		return err
	}
	f.reportSurplus(batch.LearnedSurplus)
	return err
}

// statusAfter returns the status after the outcome of a poll. f.mu is held.
func (f *Feed) statusAfter(outcome func(*freshness, *schedule)) *Status {
	fresh, s := f.freshness.copy(), *f.schedule
	outcome(fresh, &s)
	return f.newStatus(fresh, &s, nil)
}

// dropList schedules the list after one that the log did not take. The lease is lost, or the log
// cannot be reached.
func (f *Feed) dropList() {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	f.schedule.listFailed(now, f.pace(), now)
}

// incomplete returns the error of a list that was applied but is no success (W7).
func incomplete(list participant.List) error {
	message := "a later page of the upstream's list could not be read"
	if list.PageErr == nil && list.Total != nil {
		message = fmt.Sprintf("the upstream lists %d of %d participants", list.Read, *list.Total)
	}
	return &apierror.Error{Reason: apierror.UpstreamIncomplete, Message: message, Cause: list.PageErr}
}

// applyFailure records a poll that gave no list. The upstream's refusals can end the feed.
func (f *Feed) applyFailure(ctx context.Context, lease Lease, err error) {
	if f.recordFailure(ctx, lease, err, time.Now()) {
		f.logger.Info("feed ended", slog.String("reason", string(apierror.ReasonOf(err))))
		f.onEnd()
	}
}

// recordFailure commits what a failed poll has shown. It reports whether the feed has ended. A
// refusal of a conference that was never known is not shared: other processes find it themselves.
func (f *Feed) recordFailure(ctx context.Context, lease Lease, err error, now time.Time) bool {
	var end *End
	outcome := func(fresh *freshness, s *schedule) {
		fresh.pollFailed(apierror.ReasonOf(err))
		s.listFailed(now, f.paceOf(s), retryAt(now, err))
		if !f.isAddLag(err) && fresh.recordRefusal(err, now, f.roster.Known()) {
			end = newEnd(err, f.roster.Known())
		}
	}
	f.recordOutcome(err)
	committed := f.commit(ctx, func() *Draft {
		end = nil
		status := f.statusAfter(outcome)
		status.Ended = end.ending()
		if end != nil && !f.roster.Known() {
			return nil
		}
		return &Draft{Lease: lease, Status: status}
	}, func() {
		outcome(f.freshness, f.schedule)
		f.end = end
	})
	if committed {
		return end != nil
	}
	if end == nil {
		f.dropList()
		return false
	}
	return f.endUnknown(end)
}

func (f *Feed) recordOutcome(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.source.RecordOutcome(err)
}

// endUnknown ends a feed that was never known. It reports whether the feed has ended.
func (f *Feed) endUnknown(end *End) bool {
	f.mu.Lock()
	defer f.unlock()
	if f.roster.Known() {
		return false
	}
	f.end = end
	f.publishTurn()
	return true
}

// isAddLag reports whether a poll's error is a 404 from an upstream that does not show yet
// what an Add has just created (W1). f.mu is held.
func (f *Feed) isAddLag(err error) bool {
	return apierror.UpstreamStatusOf(err) == http.StatusNotFound && f.schedule.started.Before(f.lastAdd.Add(addLag))
}

// newEnd returns how a refusal ends a feed.
func newEnd(err error, known bool) *End {
	return &End{Err: err, Gone: known && apierror.UpstreamStatusOf(err) == http.StatusNotFound}
}

func (f *Feed) reportSurplus(surplus int) {
	if surplus == 0 {
		return
	}
	f.logger.Warn("the upstream counts more participants than it lists; the difference is subtracted from its total from now on",
		slog.Int("surplus", surplus))
	if f.options.Observer != nil {
		f.options.Observer.SurplusLearned(surplus)
	}
}
