package watch

import (
	"context"
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

// Notify has wake called after each change of the feed, until stop is called. It must not block
// long, and must not call stop. A change before Notify is not reported: Poll finds it. Next must
// not be called any more.
func (s *Subscription) Notify(wake func()) (stop func()) {
	s.stopWaiting()
	return s.view.broadcast.add(wake)
}

// broadcast wakes the subscribers of a feed that have no goroutine of their own. A few goroutines
// wake all of them, so that a change costs no switch to a goroutine of each.
type broadcast struct {
	shards []shard
	added  atomic.Uint32
}

func newBroadcast(source *feed.Feed) *broadcast {
	b := &broadcast{shards: make([]shard, runtime.GOMAXPROCS(0))}
	for i := range b.shards {
		b.shards[i].feed, b.shards[i].emptied = source, make(chan struct{}, 1)
	}
	return b
}

func (b *broadcast) add(wake func()) (remove func()) {
	chosen := &b.shards[int(b.added.Add(1))%len(b.shards)]
	added := chosen.add(wake)
	return func() { chosen.remove(added) }
}

// shard is the part of a broadcast that one goroutine wakes. The goroutine runs while there is
// anybody to wake.
type shard struct {
	feed    *feed.Feed
	emptied chan struct{}

	// mu is held while receivers are woken.
	mu        sync.Mutex
	receivers []*receiver
	running   bool
}

type receiver struct {
	wake func()
	// index is the receiver's place in its shard.
	index int
}

func (s *shard) add(wake func()) *receiver {
	s.mu.Lock()
	defer s.mu.Unlock()
	added := &receiver{wake: wake, index: len(s.receivers)}
	s.receivers = append(s.receivers, added)
	if !s.running {
		s.running = true
		go s.run()
	}
	return added
}

func (s *shard) remove(removed *receiver) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.receivers) - 1
	s.receivers[removed.index] = s.receivers[last]
	s.receivers[removed.index].index = removed.index
	s.receivers[last] = nil
	s.receivers = s.receivers[:last]
	if last == 0 {
		s.receivers = nil
		select {
		case s.emptied <- struct{}{}:
		default:
		}
	}
}

func (s *shard) run() {
	for {
		state := s.feed.State()
		if !s.wakeAll() {
			return
		}
		select {
		case <-state.Changed():
		case <-s.emptied:
		}
	}
}

// wakeAll returns false if there is nobody to wake.
func (s *shard) wakeAll() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = len(s.receivers) > 0
	for _, one := range s.receivers {
		one.wake()
	}
	return s.running
}
