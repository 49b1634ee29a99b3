package feed_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
)

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestState_OneChangeWakesAllWaiters(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusDialing)
		f, release := h.watch()
		defer release()
		var woken atomic.Int64
		for range 1000 {
			go func() {
				<-f.State().Changed()
				woken.Add(1)
			}()
		}
		synctest.Wait()
		h.Set("a", participant.StatusConnected)
		h.advance(1100 * time.Millisecond)
		if got := woken.Load(); got != 1000 {
			t.Errorf("woken: got %d, want 1000", got)
		}
	})
}

func TestState_ChangeBeforeTheWaitIsNotMissed(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusDialing)
		f, release := h.watch()
		defer release()
		old := f.State()
		h.Set("a", participant.StatusConnected)
		h.advance(1100 * time.Millisecond)
		if !isClosed(old.Changed()) {
			t.Error("the channel of the superseded State is open")
		}
		if isClosed(f.State().Changed()) {
			t.Error("the channel of the latest State is closed")
		}
	})
}

func TestState_ListWithoutChangesWakesNobody(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusConnected)
		f, release := h.watch()
		defer release()
		old := f.State()
		h.advance(10 * time.Second)
		if f.State() == old {
			t.Fatal("no new State was published")
		}
		if isClosed(old.Changed()) {
			t.Error("a list without changes woke the waiters")
		}
		h.Set("a", participant.StatusHeld)
		h.advance(10 * time.Second)
		if !isClosed(old.Changed()) {
			t.Error("a change two States later did not wake the waiters")
		}
	})
}

func TestState_NotifyCallsForEachChangeUntilItIsStopped(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusDialing)
		f, release := h.watch()
		defer release()
		var first, second atomic.Int64
		stop := f.Notify(func() { first.Add(1) })
		defer f.Notify(func() { second.Add(1) })()
		h.Set("a", participant.StatusConnected)
		h.advance(1100 * time.Millisecond)
		h.advance(5 * time.Second) // Lists without changes.
		stop()
		h.Set("a", participant.StatusHeld)
		h.advance(5 * time.Second)
		if first.Load() != 1 || second.Load() != 2 {
			t.Errorf("called %d and %d times, want 1 and 2", first.Load(), second.Load())
		}
	})
}

func TestState_AfterReturnsAllLaterEntries(t *testing.T) {
	var s feed.State
	for length := range 20 {
		for seq := range s.Position.Seq + 1 {
			var want int // Every third sequence number has no entry.
			for _, entry := range s.History {
				if entry.Seq > seq {
					want++
				}
			}
			missed, kept := s.After(feed.Position{Seq: seq})
			if !kept || len(missed) != want || want > 0 && missed[0].Seq <= seq {
				t.Errorf("%d entries, after %d: got %d, want %d", length, seq, len(missed), want)
			}
		}
		s.Position.Seq++
		if s.Position.Seq%3 != 0 {
			s.History = append(s.History, feed.Entry{Seq: s.Position.Seq})
		}
	}
}
