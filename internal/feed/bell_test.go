package feed

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestBell_WakesAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bell Bell
		var woken atomic.Int64
		for range 1000 {
			go func() {
				<-bell.Next()
				woken.Add(1)
			}()
		}
		synctest.Wait()
		bell.Ring()
		synctest.Wait()
		if got := woken.Load(); got != 1000 {
			t.Errorf("woken: got %d, want 1000", got)
		}
	})
}

func TestBell_ARingBeforeTheWaitIsNotMissed(t *testing.T) {
	var bell Bell
	bell.Ring() // Nobody waits.
	next := bell.Next()
	if again := bell.Next(); again != next {
		t.Error("two channels for one ring")
	}
	select {
	case <-next:
		t.Error("closed by an earlier ring")
	default:
	}
	bell.Ring()
	<-next
	select {
	case <-bell.Next():
		t.Error("closed before the ring after")
	default:
	}
}
