package serve

import (
	"context"
	"strings"
	"sync"
	"time"
)

// publisher sends one event to all subscribers at a fixed rate.
type publisher struct {
	event       []byte
	mu          sync.Mutex
	subscribers map[chan []byte]struct{}
}

// publish returns a publisher that runs until ctx ends.
func publish(ctx context.Context, rate float64, event []byte) *publisher {
	p := &publisher{event: event, subscribers: map[chan []byte]struct{}{}}
	go p.run(ctx, time.Duration(float64(time.Second)/rate))
	return p
}

func (p *publisher) run(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			p.send()
		}
	}
}

// send skips subscribers that are sixteen events behind.
func (p *publisher) send() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for events := range p.subscribers {
		select {
		case events <- p.event:
		default:
		}
	}
}

// subscribe returns a channel of events, which the caller ends by cancel.
func (p *publisher) subscribe() (events <-chan []byte, cancel func()) {
	channel := make(chan []byte, 16)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.subscribers[channel] = struct{}{}
	return channel, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.subscribers, channel)
	}
}

// data is the JSON data of an event, of a size in bytes.
func data(size int) string {
	const frame = `{"data":""}`
	return `{"data":"` + strings.Repeat("x", max(0, size-len(frame))) + `"}`
}

// sseEvent is a server-sent event with data of a size.
func sseEvent(size int) []byte { return []byte("event: changes\ndata: " + data(size) + "\n\n") }
