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
	// Polled follows each poll; the error is nil for a list that was applied.
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
	stamp     roster.Stamp
	roster    *roster.Roster
	log       *log
	freshness *freshness
	schedule  *schedule
	end       *End
}

func newFeed(key participant.Key, source Source, options Options, ended func()) *Feed {
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
	judge.Go(func() { f.judge(ctx) })
	f.poll(ctx)
	stop()
	judge.Wait()
}

// tick gives the next moment on the feed's counter (W5). The lock is held.
func (f *Feed) tick() roster.Stamp {
	f.stamp++
	return f.stamp
}

// applied folds a list that was read into the roster. All of it, the feed's turning
// fresh included, is published at once, so that the diff comes before the checkpoint. An
// incomplete list is applied as far as it goes, and is a failure all the same (W7).
func (f *Feed) applied(began roster.Stamp, list participant.List) error {
	f.mu.Lock()
	wasKnown, wasStale := f.roster.Known(), f.freshness.stale
	batch := f.roster.Poll(roster.Poll{List: list, Began: began, Applied: f.tick()})
	entry := f.append(batch)
	if batch.Complete {
		f.freshness.read(list)
		f.schedule.succeeded(len(batch.Changes) > 0 || f.roster.InFlight(list.Ended))
		pace := f.source.Pace(f.schedule.want)
		f.schedule.next(pace.Interval)
	} else {
		f.freshness.readPart()
	}
	f.publish(f.roster.Participants())
	f.mu.Unlock()

	f.observe(entry)
	f.noteSurplus(batch.LearnedSurplus)
	if entry != nil || !wasKnown || wasStale && batch.Complete {
		f.bell.Ring()
	}
	if !batch.Complete {
		return incomplete(list)
	}
	return nil
}

// failed notes a poll that gave no list, and ends the feed where the upstream's
// refusal says so.
func (f *Feed) failed(err error) {
	now := time.Now()
	f.mu.Lock()
	f.freshness.failed(participant.ReasonOf(err))
	f.schedule.failed(now, retryAfter(err))
	over := f.freshness.ends(err, now, f.roster.Known())
	if over {
		f.end = endOf(err, f.roster.Known())
	}
	f.publish(f.State().Participants)
	f.mu.Unlock()

	if over {
		f.logger.Info("feed ended", slog.String("reason", string(participant.ReasonOf(err))))
		f.ended()
		f.bell.Ring()
	}
}

func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*participant.Error](err); ok {
		return e.RetryAfter
	}
	return 0
}

// endOf is how a refusal ends a feed.
func endOf(err error, known bool) *End {
	var e *participant.Error
	gone := known && errors.As(err, &e) && e.UpstreamStatus == http.StatusNotFound
	return &End{Err: err, Gone: gone}
}

// write folds a write that was answered into the roster, and brings the next list
// forward.
func (f *Feed) write(w roster.Write) {
	f.mu.Lock()
	w.Done, w.DoneAt = f.tick(), time.Now()
	batch := f.roster.Write(w)
	entry := f.append(batch)
	f.schedule.wrote(w.DoneAt)
	f.publish(f.roster.Participants())
	f.mu.Unlock()

	nudge(f.hurried)
	f.observe(entry)
	if entry != nil {
		f.bell.Ring()
	}
}

// append puts a batch into the log; nil where it changed nothing that watchers see. The
// lock is held.
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
	f.log.trim(time.Now())
	total, active := f.roster.Counts()
	f.state.Store(&State{
		Position:     f.log.head,
		History:      f.log.entries,
		Floor:        f.log.floor,
		Known:        f.roster.Known(),
		Participants: participants,
		Total:        total,
		Active:       active,
		ObservedAt:   f.roster.ObservedAt(),
		LastSuccess:  f.freshness.success,
		Stale:        f.freshness.stale,
		StaleReason:  f.freshness.reason,
		PollInterval: f.source.Pace(f.schedule.want).Interval,
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
