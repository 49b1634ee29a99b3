package watch_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/watch"
)

// polling is a subscriber without a goroutine: it polls whenever the feed or a timer wakes it.
type polling struct {
	*client

	mu    sync.Mutex
	got   []string
	timer *time.Timer
	stop  func()
}

// poll starts to poll after the first message.
func (h *harness) poll(request watch.Request) *polling {
	h.t.Helper()
	p := &polling{client: h.watch(request)}
	first, err := p.next()
	if err != nil {
		h.t.Fatal(err)
	}
	p.got = append(p.got, describe(first))
	p.timer = time.AfterFunc(time.Hour, p.wake)
	p.stop = p.subscription.Notify(p.wake)
	p.wake()
	return p
}

func (p *polling) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for message, err := p.subscription.Poll(); ; message, err = p.subscription.Poll() {
		switch {
		case err != nil:
			p.got = append(p.got, err.Error())
			return
		case message == nil:
			wakeAt, askDue := p.subscription.Idle()
			p.timer.Reset(time.Until(wakeAt))
			if askDue {
				p.t.Error("without a token there is nothing to ask")
			}
			return
		}
		p.apply(message)
		p.got = append(p.got, describe(message))
	}
}

func (p *polling) end() {
	p.stop()
	p.timer.Stop()
	p.subscription.Close()
}

func (p *polling) expectAll(want ...string) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Equal(p.got, want) {
		p.t.Errorf("got %q, want %q", p.got, want)
	}
}

// TestW03_PollingSubscribersGetWhatOthersGet has more subscribers than goroutines wake. Some leave.
func TestW03_PollingSubscribersGetWhatOthersGet(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", connected)
		subscribers := make([]*polling, 9)
		for i := range subscribers {
			subscribers[i] = h.poll(watch.Request{})
		}
		h.Set("b", dialing)
		h.advance(2 * time.Second)
		for i, p := range subscribers {
			if i%2 == 0 {
				p.end()
			}
		}
		h.Set("b", connected)
		h.advance(2 * time.Second)
		for i, p := range subscribers {
			if i%2 == 0 {
				p.expectAll("initial a(connected)", "+b(dialing)")
				continue
			}
			p.expectAll("initial a(connected)", "+b(dialing)", "b(dialing>connected)")
			p.end()
		}
		late := h.poll(watch.Request{})
		h.Remove("a")
		h.advance(2 * time.Second)
		late.expectAll("initial a(connected) b(connected)", "-a(connected>connected)")
		late.end()
	})
}

func TestW13_PollingSubscribersGetHeartbeats(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", connected)
		p := h.poll(watch.Request{})
		defer p.end()
		synctest.Wait()
		p.expectAll("initial a(connected)")
		h.advance(15 * time.Second)
		p.expectAll("initial a(connected)", "fresh")
		h.advance(15 * time.Second)
		p.expectAll("initial a(connected)", "fresh", "fresh")
	})
}
