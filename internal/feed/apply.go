package feed

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// applyList applies a list to the roster. It returns an error if the list was incomplete:
// such a list proves presence, but it is no success (W7).
func (f *Feed) applyList(began roster.LogicalTime, list participant.List) error {
	entry, learned, err := f.applyListLocked(began, list)
	f.observe(entry)
	f.reportSurplus(learned)
	return err
}

// applyListLocked is applyList under the lock. One State contains all effects of the list,
// so that watchers get the changes before the FRESH checkpoint.
func (f *Feed) applyListLocked(began roster.LogicalTime, list participant.List) (entry *Entry, learned int, err error) {
	f.mu.Lock()
	defer f.unlock()
	wasKnown, wasStale := f.roster.Known(), f.freshness.stale
	batch := f.roster.PlanPoll(roster.Poll{List: list, Began: began, Applied: f.tick()})
	if !batch.Complete {
		err = incomplete(list)
	}
	entry = f.commit(batch)
	f.freshness.listRead(list, batch.Complete)
	f.source.RecordOutcome(err)
	f.schedule.listRead(len(batch.Changes) > 0 || f.roster.InFlight(list.Ended), list.Ended.Sub(list.Began))
	f.schedule.scheduleNext(f.pace(), retryAt(list.Ended, list.PageErr))
	f.publish(f.roster.Participants(), entry != nil || wasStale != f.freshness.stale || wasKnown != f.roster.Known())
	return entry, batch.LearnedSurplus, err
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
func (f *Feed) applyFailure(err error) {
	if f.applyFailureLocked(err, time.Now()) {
		f.logger.Info("feed ended", slog.String("reason", string(apierror.ReasonOf(err))))
		f.onEnd()
	}
}

// applyFailureLocked is applyFailure under the lock. It reports whether the feed has ended.
func (f *Feed) applyFailureLocked(err error, now time.Time) (ended bool) {
	f.mu.Lock()
	defer f.unlock()
	f.freshness.pollFailed(apierror.ReasonOf(err))
	f.source.RecordOutcome(err)
	f.schedule.listFailed(now, f.pace(), retryAt(now, err))
	ended = !f.isAddLag(err) && f.freshness.recordRefusal(err, now, f.roster.Known())
	if ended {
		f.end = newEnd(err, f.roster.Known())
	}
	f.publish(f.State().Participants, ended)
	return ended
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

// applyWrite applies a write that succeeded to the roster, and lets the poller read the
// next list earlier.
func (f *Feed) applyWrite(w roster.Write) {
	entry := f.applyWriteLocked(w)
	notify(f.rescheduled)
	f.observe(entry)
}

// applyWriteLocked is applyWrite under the lock.
func (f *Feed) applyWriteLocked(w roster.Write) *Entry {
	f.mu.Lock()
	defer f.unlock()
	w.Done, w.DoneAt = f.tick(), time.Now()
	if w.Kind == participant.WriteAdd {
		f.lastAdd = w.DoneAt
		f.freshness.addSucceeded()
	}
	return f.changeRoster(func() roster.Batch { return f.roster.PlanWrite(w) })
}

// applyControl applies a control that succeeded to the roster, and lets the poller read the
// next list earlier.
func (f *Feed) applyControl(c roster.Control) {
	entry := f.applyControlLocked(c)
	notify(f.rescheduled)
	f.observe(entry)
}

// applyControlLocked is applyControl under the lock.
func (f *Feed) applyControlLocked(c roster.Control) *Entry {
	f.mu.Lock()
	defer f.unlock()
	c.Done, c.DoneAt = f.tick(), time.Now()
	return f.changeRoster(func() roster.Batch { return f.roster.PlanControl(c) })
}

// changeRoster commits what a write or a control changes, makes the next list due earlier, and
// publishes the result. If the feed has ended, it does not change the roster. f.mu is held.
func (f *Feed) changeRoster(plan func() roster.Batch) *Entry {
	f.schedule.writeCompleted()
	if f.end != nil {
		return nil
	}
	entry := f.commit(plan())
	f.publish(f.roster.Participants(), entry != nil)
	return entry
}

// commit appends a planned batch to the log, and then applies it to the roster. It returns nil
// if watchers see no change. A list that changes no member takes no number. f.mu is held.
func (f *Feed) commit(batch roster.Batch) (entry *Entry) {
	if !batch.Empty() {
		entry = f.log.append(batch, time.Now())
	}
	f.roster.Apply(batch)
	return entry
}

func (f *Feed) observe(entry *Entry) {
	if entry != nil && f.options.Observer != nil {
		f.options.Observer.Appended(*entry)
	}
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
