package redisconn

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// subscriptions share one Pub/Sub connection.
type subscriptions struct {
	conn *Conn
	// woken asks run to send what has changed.
	woken chan struct{}
	// refused is why Redis refuses to subscribe.
	refused atomic.Pointer[error]

	mu       sync.Mutex
	channels map[string]*channel
	// unconfirmed counts the SUBSCRIBE commands of a channel that wait for confirmation, and
	// sent are the channels that the server knows; both on the present connection.
	unconfirmed map[string]int
	sent        map[string]bool
}

// channel is a channel and its local subscribers.
type channel struct {
	subscribers map[*subscriber]struct{}
	// due is true when a SUBSCRIBE must be sent: its confirmation informs new subscribers.
	due bool
}

type subscriber struct {
	established func()
	receive     func(payload []byte)
	// informed is true after established on the present connection.
	informed bool
}

func newSubscriptions(c *Conn) *subscriptions {
	return &subscriptions{conn: c, woken: make(chan struct{}, 1), channels: map[string]*channel{}}
}

// Subscribe receives the messages of a channel. It calls established each time the subscription
// begins at the server: the first time, and after each reconnect, since messages may be lost
// meanwhile. All callbacks come from one goroutine and must not block. One that runs while
// cancel is called may end after it.
func (c *Conn) Subscribe(name string, established func(), receive func(payload []byte)) (cancel func()) {
	s := &subscriber{established: established, receive: receive}
	c.subs.add(name, s)
	return sync.OnceFunc(func() { c.subs.remove(name, s) })
}

func (s *subscriptions) add(name string, added *subscriber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.channels[name] == nil {
		s.channels[name] = &channel{subscribers: map[*subscriber]struct{}{}}
	}
	s.channels[name].subscribers[added] = struct{}{}
	s.channels[name].due = true
	s.wake()
}

func (s *subscriptions) remove(name string, removed *subscriber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.channels[name].subscribers, removed)
	if len(s.channels[name].subscribers) == 0 {
		delete(s.channels, name)
		s.wake()
	}
}

func (s *subscriptions) wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// begin starts a connection that knows no channel.
func (s *subscriptions) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unconfirmed, s.sent = map[string]int{}, map[string]bool{}
	for _, ch := range s.channels {
		ch.due = true
		for sub := range ch.subscribers {
			sub.informed = false
		}
	}
}

// changes returns the channels to subscribe to and those to leave, and counts them as sent.
func (s *subscriptions) changes() (subscribe, leave []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, ch := range s.channels {
		if ch.due {
			subscribe = append(subscribe, name)
			ch.due = false
			s.sent[name] = true
			s.unconfirmed[name]++
		}
	}
	for name := range s.sent {
		if s.channels[name] == nil {
			leave = append(leave, name)
			delete(s.sent, name)
		}
	}
	return subscribe, leave
}

// confirmed informs the new subscribers of a channel. A confirmation counts only if no later
// SUBSCRIBE is under way: the channel may have been left between the two.
func (s *subscriptions) confirmed(name string) {
	for _, sub := range s.uninformed(name) {
		sub.established()
	}
}

func (s *subscriptions) uninformed(name string) (subs []*subscriber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unconfirmed[name]--
	ch := s.channels[name]
	if s.unconfirmed[name] > 0 || ch == nil {
		return nil
	}
	delete(s.unconfirmed, name)
	for sub := range ch.subscribers {
		if !sub.informed {
			sub.informed = true
			subs = append(subs, sub)
		}
	}
	return subs
}

// received passes a message to the subscribers that know that the subscription has begun.
func (s *subscriptions) received(name, payload string) {
	for _, sub := range s.informed(name) {
		sub.receive([]byte(payload))
	}
}

func (s *subscriptions) informed(name string) []*subscriber {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[name]
	if ch == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Collect(maps.Keys(ch.subscribers)), func(sub *subscriber) bool { return !sub.informed })
}
