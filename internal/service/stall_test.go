package service

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/watch"
)

func (d *stallDetector) isStalled() bool {
	synctest.Wait()
	select {
	case <-d.stalled:
		return true
	default:
		return false
	}
}

func TestW12_ASendWithProgressIsNotStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newStallDetector()
		d.begin()
		for range 100 {
			time.Sleep(watch.SendTimeout - time.Second)
			d.progress()
		}
		if d.isStalled() {
			t.Error("a send with progress is stalled")
		}
		time.Sleep(watch.SendTimeout)
		if !d.isStalled() {
			t.Error("a send without progress is not stalled")
		}
	})
}

func TestW12_AStreamWithNothingToSendIsNotStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newStallDetector()
		time.Sleep(2 * watch.SendTimeout)
		d.begin()
		d.end()
		d.progress() // grpc-go reports the progress of a message after SendMsg has returned.
		time.Sleep(2 * watch.SendTimeout)
		if d.isStalled() {
			t.Error("stalled without a send")
		}
		d.begin()
		time.Sleep(watch.SendTimeout)
		if !d.isStalled() {
			t.Error("a later send is not timed")
		}
		d.progress() // This is too late, and must not panic.
		d.end()
	})
}
