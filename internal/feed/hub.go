package feed

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/participant"
)

// Hub holds the feeds: one a conference and credential, however many watch.
type Hub struct {
	options Options
	running sync.WaitGroup

	mu    sync.Mutex
	feeds map[participant.Key]*held
	adds  recentAdds
}

// held is a feed and who holds it.
type held struct {
	feed    *Feed
	stop    context.CancelFunc
	holders int
	// linger runs while nobody holds the feed. lingers counts those that were begun or
	// stopped: a timer that has fired may come too late for its own.
	linger  *time.Timer
	lingers int
}

// NewHub returns a hub without feeds. Close ends it.
func NewHub(options Options) *Hub {
	return &Hub{options: options, feeds: map[participant.Key]*held{}}
}

// Acquire gives the conference's feed, begun if nobody watches yet and there are not
// as many as there may be. The caller releases it once; a feed lingers after its last
// release (W14).
func (h *Hub) Acquire(account Account, conference string) (feed *Feed, release func(), err error) {
	key := participant.Key{Credential: account.Fingerprint(), Conference: conference}
	h.mu.Lock()
	defer h.mu.Unlock()
	entry := h.feeds[key]
	if entry == nil && h.full() {
		return nil, nil, errFull
	}
	if entry != nil && entry.feed.State().End != nil {
		h.end(key, entry)
		entry = nil
	}
	if entry == nil {
		entry = h.begin(key, account)
	}
	entry.holders++
	entry.stopLinger()
	return entry.feed, sync.OnceFunc(func() { h.release(key, entry) }), nil
}

// full says whether no further feed may begin. One that lingers counts: it is polled,
// and kept for those who come back. The lock is held.
func (h *Hub) full() bool {
	return h.options.MaxFeeds > 0 && len(h.feeds) >= h.options.MaxFeeds
}

var errFull = &apierror.Error{
	Reason:     apierror.TooManyConferences,
	Message:    "too many conferences are watched; try again later",
	RetryAfter: 5 * time.Second,
}

// begin starts a feed. The lock is held.
func (h *Hub) begin(key participant.Key, account Account) *held {
	// A feed outlives the call that begins it.
	ctx, stop := context.WithCancel(context.Background())
	entry := &held{stop: stop}
	source := account.OpenSource(ctx, key.Conference)
	entry.feed = newFeed(key, source, h.options, h.adds.last(key, time.Now()), func() { h.drop(key, entry) })
	h.feeds[key] = entry
	h.running.Go(func() { entry.feed.run(ctx) })
	h.options.Logger.Debug("feed began", slog.String("conference_id", key.Conference))
	return entry
}

func (h *Hub) release(key participant.Key, entry *held) {
	h.mu.Lock()
	defer h.mu.Unlock()
	entry.holders--
	if entry.holders > 0 || h.feeds[key] != entry {
		return
	}
	if !entry.feed.State().Known {
		h.end(key, entry) // Nothing is known that anybody could come back for.
		return
	}
	entry.stopLinger()
	linger := entry.lingers
	entry.linger = time.AfterFunc(h.options.Linger, func() {
		_ = panics.Recover(h.options.Logger, "linger of a feed", func() { h.expire(key, entry, linger) })
	})
}

// stopLinger ends the linger that runs, if any.
func (e *held) stopLinger() {
	e.lingers++
	if e.linger != nil {
		e.linger.Stop()
		e.linger = nil
	}
}

// expire ends a feed that nobody came back to within this linger.
func (h *Hub) expire(key participant.Key, entry *held, linger int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if entry.lingers == linger && h.feeds[key] == entry {
		h.end(key, entry)
	}
}

// drop lets go of a feed that is over: who comes next begins another.
func (h *Hub) drop(key participant.Key, entry *held) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.feeds[key] == entry {
		h.end(key, entry)
	}
}

// end stops a feed. The lock is held.
func (h *Hub) end(key participant.Key, entry *held) {
	entry.stopLinger()
	delete(h.feeds, key)
	entry.stop()
}

// lookup gives the feed of a key, nil where there is none or it is over.
func (h *Hub) lookup(key participant.Key) *Feed {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.live(key)
}

// live is lookup with the lock held.
func (h *Hub) live(key participant.Key) *Feed {
	if entry := h.feeds[key]; entry != nil && entry.feed.State().End == nil {
		return entry.feed
	}
	return nil
}

// written notes a write that succeeded and gives the feed that is to show it, nil where
// there is none.
func (h *Hub) written(key participant.Key, kind participant.WriteKind) *Feed {
	h.mu.Lock()
	defer h.mu.Unlock()
	if kind == participant.WriteAdd {
		h.adds.note(key, time.Now())
	}
	return h.live(key)
}

// Each calls visit with every feed's state, for the metrics.
func (h *Hub) Each(visit func(key participant.Key, state *State)) {
	h.mu.Lock()
	feeds := make([]*Feed, 0, len(h.feeds))
	for _, entry := range h.feeds {
		feeds = append(feeds, entry.feed)
	}
	h.mu.Unlock()
	for _, feed := range feeds {
		visit(feed.key, feed.State())
	}
}

// Close stops all feeds and waits for them. Nobody may acquire one any more.
func (h *Hub) Close() {
	h.mu.Lock()
	for key, entry := range h.feeds {
		h.end(key, entry)
	}
	h.mu.Unlock()
	h.running.Wait()
}
