package watch

import "github.com/audian/participant-gateway/internal/feed"

// CacheBytes bounds what is kept for one conference.
const CacheBytes = cacheBytes

// Cached is how many renderings are kept, and what they take, as counted and as summed up.
func (w *Watcher) Cached() (renderings, counted, summed int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conferences {
		counted += c.cache.bytes
		renderings += c.cache.order.Len()
		for e := c.cache.order.Front(); e != nil; e = e.Next() {
			r, _ := e.Value.(*rendering)
			summed += r.bytes
		}
	}
	return renderings, counted, summed
}

// NewOpening is a subscription that has not sent anything yet, to be stepped by hand.
func NewOpening() *Subscription {
	source := &feed.Feed{}
	return &Subscription{feed: source, view: &view{feed: source, cache: &cache{}, kept: map[renderingKey]*rendering{}}}
}

// Step is the message that is due.
var Step = (*Subscription).step
