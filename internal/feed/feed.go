// Package feed keeps one conference alive for its watchers: it polls the upstream,
// keeps the roster and the log of what changed, and knows how fresh they are.
//
// Lock order: Hub, then Feed, then Bell; the account's own locks come last. Nothing
// is sent to anybody under a lock: a feed publishes its State and rings its Bell.
package feed

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// Options are the same for all feeds of a hub.
type Options struct {
	// PollInterval is the base interval, MaxPollInterval that of a quiet conference.
	PollInterval    time.Duration
	MaxPollInterval time.Duration
	// Linger is how long a feed outlives its last watcher.
	Linger time.Duration
	// History is how many changes are kept for those who resume.
	History int
	// MaxFeeds is how many feeds there may be at once; 0 is no limit.
	MaxFeeds int
	Observer Observer
	Logger   *slog.Logger
}

// Observer is told what feeds do, for the metrics.
type Observer interface {
	// Polled follows each poll; the error is nil for a complete list.
	Polled(took time.Duration, err error)
	// Appended follows each entry that watchers can see.
	Appended(entry Entry)
	// SurplusLearned follows the list that proved by how many the upstream counts more
	// participants than it lists (W7).
	SurplusLearned(surplus int)
}

// Feed is one conference under one upstream credential.
type Feed struct {
	key     participant.Key
	source  Source
	options Options
	logger  *slog.Logger
	bell    Bell
	state   atomic.Pointer[State]
	// ended is told once, when the feed is over by itself (W1, W11).
	ended func()
	// hurried wakes the poller when a write brought the next list forward, and judged
	// wakes the freshness timer when a poll has ended.
	hurried, judged chan struct{}

	mu        sync.Mutex
	stamp     roster.LogicalTime
	roster    *roster.Roster
	log       *log
	freshness *freshness
	schedule  *schedule
	end       *End
	// lastAdd is when the last Add to the conference succeeded.
	lastAdd time.Time
	// folding says that the roster is being changed. Where it was set before, a panic has
	// left the roster half changed.
	folding bool
}

func newFeed(key participant.Key, source Source, options Options, lastAdd time.Time, ended func()) *Feed {
	f := &Feed{
		key:       key,
		source:    source,
		options:   options,
		logger:    options.Logger.With(slog.String("conference_id", key.Conference)),
		ended:     ended,
		hurried:   make(chan struct{}, 1),
		judged:    make(chan struct{}, 1),
		roster:    roster.New(key.Conference),
		log:       newLog(options.History),
		freshness: newFreshness(),
		schedule:  newSchedule(options.PollInterval, options.MaxPollInterval),
		lastAdd:   lastAdd,
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.publish(nil)
	return f
}

// Key names the feed.
func (f *Feed) Key() participant.Key { return f.key }

// State is what the feed holds now.
func (f *Feed) State() *State { return f.state.Load() }

// Changed is closed when there is something new for watchers. Whoever waits takes it
// before State.
func (f *Feed) Changed() <-chan struct{} { return f.bell.Next() }

// run polls, and judges the feed's freshness beside, until ctx ends or the feed does.
func (f *Feed) run(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	var judge sync.WaitGroup
	judge.Go(func() { f.keep(ctx, "freshness of a feed", f.judge) })
	f.keep(ctx, "poller of a feed", f.poll)
	stop()
	judge.Wait()
}

// keep does some work until it ends. After a panic it waits a while and begins it again.
func (f *Feed) keep(ctx context.Context, name string, work func(context.Context)) {
	for panics.Recover(f.logger, name, func() { work(ctx) }) != nil {
		select {
		case <-time.After(maxBackoff):
		case <-ctx.Done():
			return
		}
	}
}

// tick gives the next moment on the feed's counter (W5). The lock is held.
func (f *Feed) tick() roster.LogicalTime {
	f.stamp++
	return f.stamp
}

// applied folds a list that was read into the roster. Its error says that the list was
// incomplete: what it shows counts, but it is no success (W7).
func (f *Feed) applied(began roster.LogicalTime, list participant.List) error {
	entry, learned, changed, err := f.apply(began, list)
	f.observe(entry)
	f.noteSurplus(learned)
	if changed {
		f.bell.Ring()
	}
	return err
}

// apply is applied under the lock. All of it, the feed's turning fresh included, is
// published at once, so that the diff comes before the checkpoint.
func (f *Feed) apply(began roster.LogicalTime, list participant.List) (entry *Entry, learned int, changed bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	wasKnown, wasStale := f.roster.Known(), f.freshness.stale
	batch := f.fold(roster.Poll{List: list, Began: began, Applied: f.tick()})
	if !batch.Complete {
		err = incomplete(list)
	}
	entry = f.append(batch)
	f.freshness.read(list, batch.Complete)
	f.source.Settle(err)
	f.schedule.read(len(batch.Changes) > 0 || f.roster.InFlight(list.Ended), list.Ended.Sub(list.Began))
	f.schedule.next(f.pace(), askedUntil(list.Ended, retryAfter(list.PageErr)))
	f.publish(f.roster.Participants())
	changed = entry != nil || wasStale != f.freshness.stale || wasKnown != f.roster.Known()
	return entry, batch.LearnedSurplus, changed, err
}

// fold applies a list to the roster. After a panic
// amid an earlier one nobody knows what the roster holds: it is read anew, into a log of
// its own. The lock is held.
func (f *Feed) fold(p roster.Poll) roster.Batch {
	if f.folding {
		f.roster, f.log = roster.New(f.key.Conference), newLog(f.options.History)
	}
	f.folding = true
	batch := f.roster.ApplyPoll(p)
	f.folding = false
	return batch
}

// pace is what the account makes of the feed now. The lock is held.
func (f *Feed) pace() Pace { return f.source.Pace(f.schedule.want, f.schedule.takes) }

// failed notes a poll that gave no list, and ends the feed where the upstream's
// refusal says so.
func (f *Feed) failed(err error) {
	if !f.fail(err, time.Now()) {
		return
	}
	f.logger.Info("feed ended", slog.String("reason", string(apierror.ReasonOf(err))))
	f.ended()
	f.bell.Ring()
}

// fail is failed under the lock; true where the feed is over.
func (f *Feed) fail(err error, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.freshness.failed(apierror.ReasonOf(err))
	f.source.Settle(err)
	f.schedule.failed(now, f.pace(), askedUntil(now, retryAfter(err)))
	over := !f.lags(err) && f.freshness.ends(err, now, f.roster.Known())
	if over {
		f.end = endOf(err, f.roster.Known())
	}
	f.publish(f.State().Participants)
	return over
}

// lags reports whether a poll's error is a 404 of an upstream that does not show yet what
// an Add has just made. The lock is held.
func (f *Feed) lags(err error) bool {
	e, ok := errors.AsType[*apierror.Error](err)
	return ok && e.UpstreamStatus == http.StatusNotFound && f.schedule.started.Before(f.lastAdd.Add(addLag))
}

func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*apierror.Error](err); ok {
		return e.RetryAfter
	}
	return 0
}

// endOf is how a refusal ends a feed.
func endOf(err error, known bool) *End {
	var e *apierror.Error
	gone := known && errors.As(err, &e) && e.UpstreamStatus == http.StatusNotFound
	return &End{Err: err, Gone: gone}
}

// write folds a write that was answered into the roster, and brings the next list
// forward.
func (f *Feed) write(w roster.Write) {
	entry := f.applyWrite(w)
	nudge(f.hurried)
	f.observe(entry)
	if entry != nil {
		f.bell.Ring()
	}
}

// applyWrite is write under the lock. Where the feed is over, or a panic has left the
// roster half changed, the write changes nothing.
func (f *Feed) applyWrite(w roster.Write) *Entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Done, w.DoneAt = f.tick(), time.Now()
	if w.Kind == participant.WriteAdd {
		f.lastAdd = w.DoneAt
		f.freshness.added()
	}
	f.schedule.written()
	if f.end != nil || f.folding {
		return nil
	}
	f.folding = true
	batch := f.roster.ApplyWrite(w)
	f.folding = false
	entry := f.append(batch)
	f.publish(f.roster.Participants())
	return entry
}

// append puts a batch into the log; nil where it changed nothing. The lock is held.
func (f *Feed) append(batch roster.Batch) *Entry {
	if batch.Empty() {
		return nil
	}
	return f.log.append(batch, time.Now())
}

func (f *Feed) observe(entry *Entry) {
	if entry != nil && f.options.Observer != nil {
		f.options.Observer.Appended(*entry)
	}
}

// publish makes what the feed holds now its State. The lock is held.
func (f *Feed) publish(participants []participant.Participant) {
	now := time.Now()
	f.log.trim(now)
	total, active := f.roster.Counts()
	f.state.Store(&State{
		Position:     f.log.head,
		History:      f.log.entries,
		Floor:        f.log.floor,
		Known:        f.roster.Known(),
		Participants: participants,
		Total:        total,
		Active:       active,
		LastSuccess:  f.freshness.success,
		ObservedAt:   f.roster.ObservedAt(),
		Stale:        f.freshness.stale,
		StaleReason:  f.freshness.reason,
		PollInterval: f.schedule.inForce(now, f.pace()),
		End:          f.end,
	})
}

// nudge wakes whoever waits on a channel of one, if it is not awake already.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
