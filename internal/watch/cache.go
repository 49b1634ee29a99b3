package watch

import (
	"container/list"
	"sync"
)

// cacheBytes bounds what the views of one conference keep beside the log: messages and
// their encodings (W12, W14).
const cacheBytes = 16 << 20

// About how much memory a rendering takes, encodings left out. Text is shared with the
// log.
const (
	renderingBytes   = 256
	messageBytes     = 384
	changeBytes      = 224
	participantBytes = 160
)

// cache keeps what the views of one conference rendered, each rendering as long as the
// log keeps its entry and the bound allows. The oldest go first; a subscriber that needs
// one again renders it again.
type cache struct {
	mu    sync.Mutex
	bytes int
	// order has the renderings that are kept, the oldest first.
	order list.List
}

// rendering is an entry, or a state, as a view shows it.
type rendering struct {
	view *view
	key  renderingKey
	// message is nil where the filter hides the entry.
	message *Message
	// delta is by how many the entry makes the filtered roster grow.
	delta int
	// bytes is how much memory the rendering takes.
	bytes int
	// place is where the rendering stands in the cache's order; nil where it is not kept.
	place *list.Element
}

// keep takes a rendering in. The lock is held.
func (c *cache) keep(r *rendering) {
	r.place = c.order.PushBack(r)
	r.view.kept[r.key] = r
	c.bytes += r.bytes
	c.evict()
}

// drop forgets a rendering. The lock is held.
func (c *cache) drop(r *rendering) {
	c.order.Remove(r.place)
	r.place = nil
	delete(r.view.kept, r.key)
	c.bytes -= r.bytes
}

// evict drops the oldest renderings until the rest is within the bound. The lock is held.
func (c *cache) evict() {
	for c.bytes > cacheBytes {
		oldest, _ := c.order.Front().Value.(*rendering)
		c.drop(oldest)
	}
}

// grow counts an encoding that was made of a rendering's message. One that is no longer
// kept belongs to its subscribers alone.
func (r *rendering) grow(bytes int) {
	c := r.view.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.place == nil {
		return
	}
	r.bytes += bytes
	c.bytes += bytes
	c.evict()
}
