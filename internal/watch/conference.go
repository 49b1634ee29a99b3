package watch

import (
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
)

// conference is what the subscribers of one feed share.
type conference struct {
	cache     renderingCache
	broadcast *broadcast
	views     map[participant.FilterHash]*sharedView
	// filters is the number of views that count towards maxFilters.
	filters int
}

// sharedView is a view with its reference count.
type sharedView struct {
	view *view
	refs int
}

// acquireView returns the view that all subscribers of a feed with this filter share.
func (w *Watcher) acquireView(source *feed.Feed, filter participant.Filter) (*view, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.conferences[source]
	if c == nil {
		c = &conference{broadcast: newBroadcast(source), views: map[participant.FilterHash]*sharedView{}}
		w.conferences[source] = c
	}
	shared := c.views[filter.Hash()]
	if shared == nil {
		if isCounted(filter) && c.filters >= maxFilters {
			return nil, errTooManyFilters
		}
		shared = c.add(newView(source, filter, &c.cache, c.broadcast))
	}
	shared.refs++
	return shared.view, nil
}

// releaseView removes the view with its last subscriber.
func (w *Watcher) releaseView(v *view) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.conferences[v.feed]
	shared := c.views[v.hash]
	shared.refs--
	if shared.refs > 0 {
		return
	}
	v.clear()
	c.remove(v)
	if len(c.views) == 0 {
		c.broadcast.stop()
		delete(w.conferences, v.feed)
	}
}

func (c *conference) add(v *view) *sharedView {
	shared := &sharedView{view: v}
	c.views[v.hash] = shared
	c.broadcast.addView(v)
	if isCounted(v.filter) {
		c.filters++
	}
	return shared
}

func (c *conference) remove(v *view) {
	delete(c.views, v.hash)
	c.broadcast.removeView(v)
	if isCounted(v.filter) {
		c.filters--
	}
}
