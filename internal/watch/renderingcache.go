package watch

import (
	"container/list"
	"sync"

	"github.com/audian/participant-gateway/internal/feed"
)

// cacheBytes bounds the messages and encodings that the views of one conference keep in
// addition to the log (W12, W14).
const cacheBytes = 16 << 20

// The approximate memory of a rendering without its encodings. Strings are shared with the
// log.
const (
	renderingBytes   = 256
	messageBytes     = 384
	changeBytes      = 224
	participantBytes = 160
)

// renderingCache keeps what the views of one conference rendered: each rendering as long as the log
// keeps its entry and the bound allows. It evicts the oldest first; a view renders an
// evicted one again when a subscriber needs it.
type renderingCache struct {
	mu    sync.Mutex
	bytes int
	// order contains the renderings, the oldest first.
	order list.List
}

// rendering is an entry or a state as a view shows it.
type rendering struct {
	view *view
	key  renderingKey
	// epoch is the log of the entry.
	epoch feed.Epoch
	// message is nil if the filter hides the entry.
	message *Message
	// delta is by how many participants the entry makes the filtered roster grow.
	delta int
	// bytes is the memory that the rendering takes.
	bytes int
	// element is the rendering's element in the cache's order; nil if it is not cached.
	element *list.Element
}

// add adds a rendering. c.mu is held.
func (c *renderingCache) add(r *rendering) {
	r.element = c.order.PushBack(r)
	r.view.kept[r.key] = r
	if r.key.seq != 0 {
		r.view.latest.Store(r)
	}
	c.bytes += r.bytes
	c.evict()
}

// remove removes a rendering. c.mu is held.
func (c *renderingCache) remove(r *rendering) {
	c.order.Remove(r.element)
	r.element = nil
	delete(r.view.kept, r.key)
	r.view.latest.CompareAndSwap(r, nil)
	c.bytes -= r.bytes
}

// evict removes the oldest renderings until the others are within the bound. c.mu is held.
func (c *renderingCache) evict() {
	for c.bytes > cacheBytes {
		oldest, _ := c.order.Front().Value.(*rendering)
		c.remove(oldest)
	}
}

// grow adds the size of an encoding of the rendering's message. It does nothing if the
// rendering is no longer cached.
func (r *rendering) grow(bytes int) {
	c := r.view.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.element == nil {
		return
	}
	r.bytes += bytes
	c.bytes += bytes
	c.evict()
}
