package service

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/watch"
)

// observed is a detector and what it has detected.
type observed struct {
	*stallDetector

	stalled atomic.Bool
}

func observe() *observed {
	o := &observed{}
	o.stallDetector = &stallDetector{onStall: func() { o.stalled.Store(true) }}
	return o
}

func (o *observed) hasStalled() bool {
	synctest.Wait()
	return o.stalled.Load()
}

func TestW12_ASendWithProgressIsNotStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := observe()
		d.begin()
		for range 100 {
			time.Sleep(watch.SendTimeout - time.Second)
			d.progress()
		}
		if d.hasStalled() {
			t.Error("a send with progress is stalled")
		}
		time.Sleep(watch.SendTimeout)
		if !d.hasStalled() {
			t.Error("a send without progress is not stalled")
		}
	})
}

func TestW12_AStreamWithNothingToSendIsNotStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := observe()
		time.Sleep(2 * watch.SendTimeout)
		d.begin()
		d.end()
		d.progress() // grpc-go reports the progress of a message after SendMsg has returned.
		time.Sleep(2 * watch.SendTimeout)
		if d.hasStalled() {
			t.Error("stalled without a send")
		}
		d.begin()
		time.Sleep(watch.SendTimeout)
		if !d.hasStalled() {
			t.Error("a later send is not timed")
		}
		d.progress() // This is too late, and must not panic.
		d.end()
	})
}
