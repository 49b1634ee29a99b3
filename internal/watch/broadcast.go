package watch

import (
	"context"
	"maps"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
)

// Poll returns the message that is due now, or nil. Its errors are those of Next.
func (s *Subscription) Poll() (*Message, error) { return s.due(s.feed.State(), time.Now()) }

// Idle is called when no message is due. It returns when Poll is to be called even if the feed does
// not change, and whether Ask is to be called first: the client's token cannot be judged before it.
func (s *Subscription) Idle() (wakeAt time.Time, askDue bool) {
	return s.wakeAt(), !s.opened && s.askDue(s.feed.State())
}

// Ask asks the log, which may take long.
func (s *Subscription) Ask(ctx context.Context) { s.askLog(ctx, s.feed.State()) }

// Notify calls wake after each change that the filter shows, and after each that concerns all
// subscribers, until stop is called. It must not block long, and must not call stop. A change before
// Notify is not reported: Poll finds it. Next must not be called any more.
func (s *Subscription) Notify(wake func()) (stop func()) {
	s.stopWaiting()
	return s.view.broadcast.add(s.view, wake).remove
}

// broadcast wakes the subscribers of a feed whose filter shows something of a change. A few goroutines
// wake all of them, so that those without a goroutine of their own cost no switch to one.
type broadcast struct {
	feed   *feed.Feed
	shards []shard
	added  atomic.Uint32
	// stop ends the calls of the feed.
	stop func()

	// mu guards the fields below, and what the views have shown. It is never held while receivers
	// are woken.
	mu    sync.Mutex
	views views
	// at and turns are those of the latest State that was looked at.
	at    feed.Position
	turns uint64
}

func newBroadcast(source *feed.Feed) *broadcast {
	b := &broadcast{feed: source, shards: make([]shard, runtime.GOMAXPROCS(0)), views: newViews()}
	b.stop = source.Notify(b.changed)
	b.changed()
	return b
}

func (b *broadcast) addView(v *view) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wakeForChanges()
	v.shown.after = b.at
	b.views.add(v)
}

func (b *broadcast) removeView(v *view) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.views.remove(v)
}

// changed is called after each change of the feed.
func (b *broadcast) changed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wakeForChanges()
}

// wakeForChanges wakes the subscribers of the views that show what has changed. It does not wait for them.
// b.mu is held.
func (b *broadcast) wakeForChanges() {
	state := b.feed.State()
	if state.Position == b.at && state.Turns == b.turns {
		return
	}
	due := map[*view]struct{}{}
	entries, kept := state.After(b.at)
	for i := range entries {
		b.views.showing(&entries[i], func(v *view) {
			v.shown.add(entries[i].Seq, state.Floor)
			due[v] = struct{}{}
		})
	}
	if !kept {
		for v := range b.views.all {
			v.shown = shownEntries{after: state.Position}
		}
	}
	if !kept || state.Turns != b.turns {
		maps.Copy(due, b.views.all)
	}
	b.at, b.turns = state.Position, state.Turns
	if len(due) == 0 {
		return
	}
	for i := range b.shards {
		b.shards[i].wake(due)
	}
}

// hiddenAfter returns the sequence number up to which a view shows none of the entries after a
// position. It returns 0 if it shows the next one, or if that is not known.
func (b *broadcast) hiddenAfter(v *view, p feed.Position) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wakeForChanges()
	later, known := v.shown.later(p)
	switch {
	case !known:
		return 0
	case len(later) == 0:
		return b.at.Seq
	case later[0]-1 == p.Seq:
		return 0
	default:
		return later[0] - 1
	}
}

// behind returns how many entries after a position a view shows. If that is not known, it counts
// those up to the head, in the same log.
func (b *broadcast) behind(v *view, p, head feed.Position) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wakeForChanges()
	if later, known := v.shown.later(p); known {
		return uint64(len(later))
	}
	return head.Seq - p.Seq
}

// add calls wake for what a view shows, until the receiver is removed.
func (b *broadcast) add(v *view, wake func()) *receiver {
	added := &receiver{wake: wake, view: v, shard: &b.shards[int(b.added.Add(1))%len(b.shards)]}
	added.shard.add(added)
	return added
}

// shard is the part of a broadcast's receivers that one goroutine wakes. The goroutine runs while there
// is anybody to wake.
type shard struct {
	// mu guards due and running.
	mu sync.Mutex
	// due are the views whose receivers are to be woken.
	due     map[*view]struct{}
	running bool

	// waking is held while receivers are woken. It guards receivers.
	waking    sync.Mutex
	receivers map[*view][]*receiver
	// count is the number of receivers.
	count atomic.Int64
}

type receiver struct {
	wake  func()
	view  *view
	shard *shard
	// index is the receiver's place among those of its view and shard.
	index int
}

func (s *shard) add(added *receiver) {
	s.count.Add(1)
	s.waking.Lock()
	defer s.waking.Unlock()
	if s.receivers == nil {
		s.receivers = map[*view][]*receiver{}
	}
	others := s.receivers[added.view]
	added.index = len(others)
	s.receivers[added.view] = append(others, added)
}

// remove ends the calls of wake. None is in progress when it returns.
func (r *receiver) remove() {
	r.shard.waking.Lock()
	defer r.shard.waking.Unlock()
	r.shard.count.Add(-1)
	all := r.shard.receivers[r.view]
	last := len(all) - 1
	all[r.index] = all[last]
	all[r.index].index = r.index
	all[last] = nil
	if last == 0 {
		delete(r.shard.receivers, r.view)
		return
	}
	r.shard.receivers[r.view] = all[:last]
}

// wake has the receivers of some views woken. It does not wait for that. A receiver that is added
// meanwhile finds the change itself.
func (s *shard) wake(due map[*view]struct{}) {
	if s.count.Load() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.due == nil {
		s.due = make(map[*view]struct{}, len(due))
	}
	maps.Copy(s.due, due)
	if !s.running {
		s.running = true
		go s.run()
	}
}

func (s *shard) run() {
	for due := s.take(); due != nil; due = s.take() {
		s.wakeAll(due)
	}
}

// take returns what is due; nil if nothing is.
func (s *shard) take() map[*view]struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	due := s.due
	s.due, s.running = nil, due != nil
	return due
}

func (s *shard) wakeAll(due map[*view]struct{}) {
	s.waking.Lock()
	defer s.waking.Unlock()
	for v := range due {
		for _, one := range s.receivers[v] {
			one.wake()
		}
	}
}
