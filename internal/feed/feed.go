// Package feed polls one conference for all its watchers. A feed keeps the roster and the
// log of its changes, and publishes both, with their freshness, as an immutable State.
//
// The data's way: poll.go reads a list, apply.go plans what it changes, commit.go appends that
// to the log (log.go) and then applies it to the roster, and state.go publishes the result and
// wakes the watchers. The log is in memory, or shared with other processes: then one of them
// polls, and the others apply what it appends (follow.go).
//
// Lock order: Feed.commits, then Hub.mu, then Feed.mu, then the locks of the account. The log is
// called with Feed.commits alone, because it may wait. No watcher is woken under a lock.
package feed

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

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
	// Logs are those that processes share; nil: each feed has one in memory.
	Logs Logs
	// LastAdd returns when the last Add to a conference succeeded at any replica; nil without
	// replicas. It takes a second at most.
	LastAdd  func(ctx context.Context, conference string) time.Time
	Observer Observer
	// Tracer makes the span of each poll; nil makes none.
	Tracer trace.Tracer
	Logger *slog.Logger
}

// Observer receives the events of feeds, for metrics.
type Observer interface {
	// Polled is called after each poll, with the context of its span. The error is nil for a
	// complete list.
	Polled(ctx context.Context, took time.Duration, err error)
	// Appended is called after each entry with visible changes.
	Appended(entry Entry)
	// SurplusLearned is called when a feed learns how many more participants the upstream
	// counts than it lists (W7).
	SurplusLearned(surplus int)
}

// Feed is one conference under one upstream credential.
type Feed struct {
	key     participant.Key
	account Account
	logs    Logs
	log     Log
	options Options
	logger  *slog.Logger
	state   atomic.Pointer[State]
	// onEnd is called once if the upstream ends the feed (W1, W11).
	onEnd func()
	// ctx ends with the hub, and background runs work that the hub waits for.
	ctx        context.Context //nolint:containedctx // It is that of work that outlives calls.
	background func(work func())
	// rescheduled wakes the poller when the next list is due earlier. polled wakes the
	// freshness timer when a poll has ended. statusAsked asks for a commit of the status: it has
	// changed, or another process needs it.
	rescheduled, polled, statusAsked chan struct{}

	// commits has a value while a commit is under way. It is a channel, so that to wait for it
	// ends with a context.
	commits chan struct{}

	mu sync.Mutex
	// head is how far the log was applied, and clock the latest logical time known.
	head    Head
	clock   roster.LogicalTime
	roster  *roster.Roster
	history history
	// loaded reports that the log was read, at loadedAt. unusable is the head of a log that
	// cannot be used, which the next commit replaces by one that goes on from head; nil if the
	// log at head can be used.
	loaded   bool
	loadedAt time.Time
	unusable *Head
	// replaced is the log that this process has replaced last: what comes from it is late.
	replaced Epoch
	// renew makes the next draft begin a new log although this process can read the present one.
	renew bool
	// reached is closed when more of the log was applied; nil if nobody waits.
	reached chan struct{}
	// status is that of the last poll, by whichever process. news reports that one was made
	// since the feed began, or should have been.
	status *Status
	news   bool
	// lease and source are set while this process polls.
	lease     Lease
	source    Source
	freshness *freshness
	schedule  *schedule
	causes    causes
	// awaySince is since when the log has been out of reach; zero if it is not.
	awaySince time.Time
	// lastChange is closed when the latest of the changes under way to the log is done.
	lastChange chan struct{}
	changes    int
	end        *End
	// lastAdd is when the last Add to the conference succeeded.
	lastAdd time.Time
	// superseded is the channel of the State that publish has replaced, for unlock to close.
	superseded chan struct{}
	// turns is State.Turns.
	turns uint64

	notified notified
}

func (h *Hub) newFeed(key participant.Key, account Account, onEnd func()) *Feed {
	options := h.options
	f := &Feed{
		key:         key,
		account:     account,
		logs:        h.logs,
		log:         h.logs.Open(key),
		options:     options,
		ctx:         h.ctx,
		background:  h.running.Go,
		logger:      options.Logger.With(slog.String("conference_id", key.Conference)),
		onEnd:       onEnd,
		rescheduled: make(chan struct{}, 1),
		polled:      make(chan struct{}, 1),
		statusAsked: make(chan struct{}, 1),
		commits:     make(chan struct{}, 1),
		roster:      roster.New(key.Conference),
		history:     history{maxChanges: options.History},
		freshness:   newFreshness(),
		schedule:    newSchedule(options.PollInterval, options.MaxPollInterval),
		lastAdd:     h.adds.last(key, time.Now()),
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state.Store(f.newState(roster.People{}, make(chan struct{})))
	return f
}

// Key returns the conference and credential of the feed.
func (f *Feed) Key() participant.Key { return f.key }

// State returns the latest State. It takes no lock.
func (f *Feed) State() *State { return f.state.Load() }

// run follows the log, polls and watches the freshness until ctx ends or the feed does.
func (f *Feed) run(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	beside.Go(func() { f.keepRunning(ctx, "follower of a feed", f.follow) })
	beside.Go(func() { f.keepRunning(ctx, "freshness of a feed", f.watchFreshness) })
	beside.Go(func() { f.keepRunning(ctx, "status of a feed", f.commitStatuses) })
	f.keepRunning(ctx, "poller of a feed", f.poll)
	stop()
	beside.Wait()
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

// notify wakes the receiver of a channel with capacity 1, unless it is notified already.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
