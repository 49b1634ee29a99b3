package watch

import "github.com/audian/participant-gateway/internal/feed"

// CacheBytes bounds the cache of one conference.
const CacheBytes = cacheBytes

// Cached returns the number of cached renderings, and their size: as counted, and summed up.
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

// Woken reports whether the subscription was woken since it last waited, and forgets it.
func (s *Subscription) Woken() bool {
	select {
	case <-s.woken:
		return true
	default:
		return false
	}
}

// SeqOf returns the sequence number of a token's position.
func SeqOf(text string) uint64 {
	t, _ := parseToken(text)
	return t.position.Seq
}

// NewOpening returns a subscription that has sent nothing yet, for calls of Due.
func NewOpening() *Subscription {
	source := &feed.Feed{}
	return &Subscription{feed: source, view: &view{feed: source, cache: &renderingCache{}, kept: map[renderingKey]*rendering{}}}
}

// Due returns the message that is due.
var Due = (*Subscription).due
