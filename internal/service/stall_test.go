package service

import (
	"testing"
	"testing/synctest"
	"time"
)

func (g *guard) isBlocked() bool {
	synctest.Wait()
	select {
	case <-g.blocked:
		return true
	default:
		return false
	}
}

func TestW12_ASendIsJudgedByItsProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard()
		g.begin()
		for range 100 {
			time.Sleep(blockedFor - time.Second)
			g.progress()
		}
		if g.isBlocked() {
			t.Error("a send that makes progress is blocked")
		}
		time.Sleep(blockedFor)
		if !g.isBlocked() {
			t.Error("a send that made no progress for its time is not blocked")
		}
	})
}

func TestW12_AStreamWithNothingToSendIsNotBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard()
		time.Sleep(2 * blockedFor)
		g.begin()
		g.end()
		g.progress() // gRPC passes the message on after the send has returned.
		time.Sleep(2 * blockedFor)
		if g.isBlocked() {
			t.Error("blocked without a send")
		}
		g.begin()
		time.Sleep(blockedFor)
		if !g.isBlocked() {
			t.Error("a later send is not guarded")
		}
		g.progress() // Too late, and no harm.
		g.end()
	})
}
