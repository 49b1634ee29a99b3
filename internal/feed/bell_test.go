package feed

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestBell_WakesAllWhoAreArmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bell Bell
		var woken atomic.Int64
		for range 1000 {
			go func() {
				sleeper := bell.Sleeper()
				sleeper.Arm()
				<-sleeper.Awake()
				sleeper.Rise()
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

func TestBell_RingerWakesTwoAlone(t *testing.T) {
	var bell Bell
	sleepers := make([]*Sleeper, 10)
	for i := range sleepers {
		sleepers[i] = bell.Sleeper()
		sleepers[i].Arm()
	}
	bell.Ring()
	awake := 0
	for _, sleeper := range sleepers {
		awake += len(sleeper.awake)
	}
	if awake != fanOut {
		t.Errorf("awake after the ring: got %d, want %d", awake, fanOut)
	}
}

func TestBell_LeaversPassTheRingOn(t *testing.T) {
	var bell Bell
	sleepers := make([]*Sleeper, 100)
	for i := range sleepers {
		sleepers[i] = bell.Sleeper()
		sleepers[i].Arm()
	}
	bell.Ring()
	for _, sleeper := range sleepers[:99] {
		sleeper.Leave()
	}
	<-sleepers[99].Awake()
	sleepers[99].Rise()
}

func TestBell_LeaversLeaveNothingBehind(t *testing.T) {
	var bell Bell
	stays := bell.Sleeper()
	stays.Arm()
	for range 10_000 {
		sleeper := bell.Sleeper()
		sleeper.Arm()
		sleeper.Arm() // Armed is armed.
		sleeper.Leave()
		sleeper.Leave()
	}
	if got := len(bell.next.sleepers); got != 1 {
		t.Errorf("sleepers left behind: got %d, want 1", got)
	}
	bell.Ring()
	<-stays.Awake()
}

func TestBell_UnderLoad(t *testing.T) {
	var bell Bell
	var done sync.WaitGroup
	for range 50 {
		done.Go(func() {
			sleeper := bell.Sleeper()
			for i := range 200 {
				sleeper.Arm()
				if i%3 == 0 {
					sleeper.Leave()
					continue
				}
				select {
				case <-sleeper.Awake():
					sleeper.Rise()
				default:
				}
			}
			sleeper.Leave()
		})
	}
	for range 500 {
		bell.Ring()
	}
	done.Wait()
}
