// Package feed polls one conference for all its watchers. A feed keeps the roster and the
// log of its changes, and publishes both, with their freshness, as an immutable State.
//
// The data's way: poll.go reads a list, apply.go applies it to the roster and appends the
// batch to the log (log.go), and state.go publishes the result and wakes the watchers.
//
// Lock order: Hub.mu, then Feed.mu, then the locks of the account. No watcher is woken under a
// lock.
package feed

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// Options apply to all feeds of a hub.
type Options struct {
	// PollInterval is the base interval, MaxPollInterval that of a quiet conference.
	PollInterval    time.Duration
	MaxPollInterval time.Duration
	// Linger is how long a feed runs after its last watcher has left.
	Linger time.Duration
	// History is the number of changes kept for resuming clients.
	History int
	// MaxFeeds bounds the number of feeds; 0 is no limit.
	MaxFeeds int
	Observer Observer
	Logger   *slog.Logger
}

// Observer receives the events of feeds, for metrics.
type Observer interface {
	// Polled is called after each poll. The error is nil for a complete list.
	Polled(took time.Duration, err error)
	// Appended is called after each entry with visible changes.
	Appended(entry Entry)
	// SurplusLearned is called when a feed learns how many more participants the upstream
	// counts than it lists (W7).
	SurplusLearned(surplus int)
}

// Feed is one conference under one upstream credential.
type Feed struct {
	key     participant.Key
	source  Source
	options Options
	logger  *slog.Logger
	state   atomic.Pointer[State]
	// onEnd is called once if the upstream ends the feed (W1, W11).
	onEnd func()
	// rescheduled wakes the poller when the next list is due earlier, and polled wakes the
	// freshness timer when a poll has ended.
	rescheduled, polled chan struct{}

	mu        sync.Mutex
	clock     roster.LogicalTime
	roster    *roster.Roster
	log       *log
	freshness *freshness
	schedule  *schedule
	end       *End
	// lastAdd is when the last Add to the conference succeeded.
	lastAdd time.Time
	// superseded is the channel of the State that publish has replaced, for unlock to close.
	superseded chan struct{}
}

func newFeed(key participant.Key, source Source, options Options, lastAdd time.Time, onEnd func()) *Feed {
	f := &Feed{
		key:         key,
		source:      source,
		options:     options,
		logger:      options.Logger.With(slog.String("conference_id", key.Conference)),
		onEnd:       onEnd,
		rescheduled: make(chan struct{}, 1),
		polled:      make(chan struct{}, 1),
		roster:      roster.New(key.Conference),
		log:         newLog(options.History),
		freshness:   newFreshness(),
		schedule:    newSchedule(options.PollInterval, options.MaxPollInterval),
		lastAdd:     lastAdd,
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state.Store(f.newState(nil, make(chan struct{})))
	return f
}

// Key returns the conference and credential of the feed.
func (f *Feed) Key() participant.Key { return f.key }

// State returns the latest State. It takes no lock.
func (f *Feed) State() *State { return f.state.Load() }

// run polls and watches the freshness until ctx ends or the feed does.
func (f *Feed) run(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { f.keepRunning(ctx, "freshness of a feed", f.watchFreshness) })
	f.keepRunning(ctx, "poller of a feed", f.poll)
	stop()
	watching.Wait()
}

// keepRunning calls work until it returns. After a panic it waits for a time and calls it
// again.
func (f *Feed) keepRunning(ctx context.Context, name string, work func(context.Context)) {
	for panics.Recover(f.logger, name, func() { work(ctx) }) != nil {
		select {
		case <-time.After(maxBackoff):
		case <-ctx.Done():
			return
		}
	}
}

// tick advances the feed's logical clock (W5). f.mu is held.
func (f *Feed) tick() roster.LogicalTime {
	f.clock++
	return f.clock
}

// notify wakes the receiver of a channel with capacity 1, unless it is notified already.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
