package redisconn_test

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/audian/participant-gateway/internal/replica/redisconn"
	"github.com/audian/participant-gateway/internal/replica/redistest"
)

// subscribe returns what the callbacks of a subscription are called with.
func subscribe(t *testing.T, c *redisconn.Conn, channel string) (got chan string, cancel func()) {
	t.Helper()
	got = make(chan string, 1000)
	cancel = c.Subscribe(c.Key(channel), func() { got <- "established" }, func(payload []byte) { got <- string(payload) })
	t.Cleanup(cancel)
	return got, cancel
}

func TestSubscriptionsSurviveAReconnect(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	proxy := redistest.NewProxy(t, s.Addr())
	c := open(t, s.URLAt(proxy.Addr()))
	got, _ := subscribe(t, c, "c")
	second, _ := subscribe(t, c, "d")
	await(t, got, "established")
	await(t, second, "established")
	for name, test := range map[string]struct{ begin, end func() }{
		"cut":       {proxy.Cut, proxy.Restore},
		"restarted": {s.Kill, s.Run},
	} {
		t.Run(name, func(t *testing.T) {
			s.Do("PUBLISH", prefix+"c", "before "+name)
			await(t, got, "before "+name)
			test.begin()
			test.end()
			// The loss is reported before any later message.
			await(t, got, "established")
			await(t, second, "established")
			s.Do("PUBLISH", prefix+"c", "after "+name)
			await(t, got, "after "+name)
		})
	}
}

func TestAStalledSubscriptionIsMadeAgain(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	proxy := redistest.NewProxy(t, s.Addr())
	c := open(t, s.URLAt(proxy.Addr()))
	got, _ := subscribe(t, c, "c")
	await(t, got, "established")
	proxy.Stall()
	eventually(t, long, "unavailable", func() bool { return !c.Available() })
	proxy.Restore()
	await(t, got, "established")
}

func TestSubscribersShareAChannel(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	c := open(t, s.URL())
	first, cancelFirst := subscribe(t, c, "c")
	await(t, first, "established")
	second, cancelSecond := subscribe(t, c, "c")
	await(t, second, "established")
	s.Do("PUBLISH", prefix+"c", "both")
	await(t, first, "both")
	await(t, second, "both")
	cancelFirst()
	cancelFirst()
	s.Do("PUBLISH", prefix+"c", "second only")
	await(t, second, "second only")
	if len(first) > 0 {
		t.Errorf("a cancelled subscriber received %q", <-first)
	}
	cancelSecond()
	eventually(t, long, "unsubscribed", func() bool { return subscribers(t, s, "c") == 0 })
}

// subscribers returns how many connections have subscribed to a channel.
func subscribers(t *testing.T, s *redistest.Server, channel string) int64 {
	t.Helper()
	reply, _ := s.Do("PUBSUB", "NUMSUB", prefix+channel).([]any)
	return reply[1].(int64)
}

func TestEstablishedComesBeforeEveryMessageOfManyChannels(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	c := open(t, s.URL())
	const channels, rounds = 50, 20
	var wrong atomic.Int32
	for round := range rounds {
		cancels := make([]func(), channels)
		done := make(chan struct{}, channels)
		for i := range channels {
			begun := false
			cancels[i] = c.Subscribe(c.Key(strconv.Itoa(i)), func() {
				begun = true
				done <- struct{}{}
			}, func([]byte) {
				if !begun {
					wrong.Add(1)
				}
			})
		}
		for range channels {
			<-done
		}
		for i := range channels {
			if n := subscribers(t, s, strconv.Itoa(i)); n != 1 {
				t.Errorf("round %d: established with %d subscriptions at the server", round, n)
			}
			s.Do("PUBLISH", prefix+strconv.Itoa(i), fmt.Sprint(round))
			cancels[i]()
		}
	}
	if n := wrong.Load(); n > 0 {
		t.Errorf("%d messages came before established", n)
	}
}
