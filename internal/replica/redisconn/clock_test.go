package redisconn

import (
	"testing"
	"testing/synctest"
	"time"
)

// sampled adds a sample that took a round trip, by a Redis that is ahead of the local clock.
func sampled(c *clock, ahead, there, back time.Duration) {
	sent := c.elapsed()
	time.Sleep(there)
	redisTime := time.Now().Add(ahead)
	time.Sleep(back)
	c.add(sent, c.elapsed(), redisTime)
}

func TestR12_TheClockPrefersPreciseSamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClock(time.Now)
		ahead := func() time.Duration { return time.Until(c.now()) }
		if got := ahead(); got != 0 {
			t.Errorf("before the first sample: %s", got)
		}
		sampled(c, time.Minute, time.Millisecond, time.Millisecond)
		if got := ahead(); got != time.Minute {
			t.Errorf("ahead by %s", got)
		}
		// A slow answer would be off by 99 ms.
		sampled(c, time.Minute, time.Millisecond, 199*time.Millisecond)
		if got := ahead(); got != time.Minute {
			t.Errorf("after a slow answer: %s", got)
		}
		time.Sleep(sampleAge)
		sampled(c, time.Minute, time.Millisecond, 199*time.Millisecond)
		if got := ahead() - time.Minute; got.Abs() != 99*time.Millisecond {
			t.Errorf("after the precise sample's age: off by %s", got)
		}
	})
}

func TestR12_TheClockFollowsAStepOfRedis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClock(time.Now)
		sampled(c, 0, time.Millisecond, time.Millisecond)
		sampled(c, -time.Hour, 5*time.Millisecond, 5*time.Millisecond)
		if got := time.Until(c.now()); got != -time.Hour {
			t.Errorf("ahead by %s", got)
		}
	})
}

// A time that is published or compared has no use of a monotonic reading, which would hide a
// step of the local clock.
func TestR12_TheTimeHasNoMonotonicReading(t *testing.T) {
	c := newClock(time.Now)
	if now := c.now(); now != now.Round(0) {
		t.Errorf("got %v", now)
	}
}
