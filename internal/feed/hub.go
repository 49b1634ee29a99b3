package feed

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/participant"
)

// Hub owns the feeds: one for each conference and credential.
type Hub struct {
	options Options
	logs    Logs
	running sync.WaitGroup
	// ctx ends with the hub.
	ctx     context.Context //nolint:containedctx // It is that of work that outlives calls.
	stopAll context.CancelFunc

	mu    sync.Mutex
	feeds map[participant.Key]*sharedFeed
	adds  recentAdds
}

// sharedFeed is a feed with its reference count.
type sharedFeed struct {
	feed *Feed
	stop context.CancelFunc
	refs int
	// linger runs while refs is 0. lingers counts how often it was started or stopped, so
	// that a timer that has already fired recognises that it is too late.
	linger  *time.Timer
	lingers int
}

// NewHub returns a hub without feeds. Close stops it.
func NewHub(options Options) *Hub {
	options.Tracer = cmp.Or[trace.Tracer](options.Tracer, noop.Tracer{})
	h := &Hub{options: options, logs: options.Logs, feeds: map[participant.Key]*sharedFeed{}}
	if h.logs == nil {
		h.logs = &memoryLogs{}
	}
	h.ctx, h.stopAll = context.WithCancel(context.Background())
	return h
}

// Acquire returns the conference's feed, and starts it if there is none and MaxFeeds
// allows it. The caller calls release once. The feed lingers after its last release (W14), and does
// not end with ctx.
func (h *Hub) Acquire(ctx context.Context, account Account, conference string) (feed *Feed, release func(), err error) {
	key := participant.Key{Credential: account.Fingerprint(), Conference: conference}
	h.mu.Lock()
	defer h.mu.Unlock()
	shared := h.feeds[key]
	if shared == nil && h.full() {
		return nil, nil, errTooManyFeeds
	}
	if shared != nil && shared.feed.State().End != nil {
		h.stop(key, shared)
		shared = nil
	}
	if shared == nil {
		shared = h.start(key, account, trace.SpanContextFromContext(ctx)) //nolint:contextcheck // A feed outlives the call that starts it.
	}
	shared.refs++
	shared.stopLinger()
	return shared.feed, sync.OnceFunc(func() { h.release(key, shared) }), nil
}

// full reports whether no further feed may start. A lingering feed counts: it is still
// polled. h.mu is held.
func (h *Hub) full() bool {
	return h.options.MaxFeeds > 0 && len(h.feeds) >= h.options.MaxFeeds
}

var errTooManyFeeds = &apierror.Error{
	Reason:     apierror.TooManyConferences,
	Message:    "too many conferences are watched; try again later",
	RetryAfter: 5 * time.Second,
}

// start starts a feed for the call of a span. h.mu is held.
func (h *Hub) start(key participant.Key, account Account, caller trace.SpanContext) *sharedFeed {
	ctx, stop := context.WithCancel(h.ctx)
	shared := &sharedFeed{stop: stop}
	shared.feed = h.newFeed(key, account, func() { h.remove(key, shared) })
	shared.feed.addCause(caller, causeSubscriber)
	h.feeds[key] = shared
	h.running.Go(func() { shared.feed.run(ctx) })
	h.options.Logger.Debug("feed started", slog.String("conference_id", key.Conference))
	return shared
}

func (h *Hub) release(key participant.Key, shared *sharedFeed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	shared.refs--
	if shared.refs > 0 || h.feeds[key] != shared {
		return
	}
	if !shared.feed.State().Known {
		h.stop(key, shared) // It has no history that a client could resume.
		return
	}
	shared.stopLinger()
	linger := shared.lingers
	shared.linger = time.AfterFunc(h.options.Linger, func() {
		_ = panics.Recover(h.options.Logger, "linger of a feed", func() { h.expire(key, shared, linger) })
	})
}

func (s *sharedFeed) stopLinger() {
	s.lingers++
	if s.linger != nil {
		s.linger.Stop()
		s.linger = nil
	}
}

// expire stops a feed that nobody has acquired during this linger.
func (h *Hub) expire(key participant.Key, shared *sharedFeed, linger int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if shared.lingers == linger && h.feeds[key] == shared {
		h.stop(key, shared)
	}
}

// remove removes a feed that the upstream has ended. The next Acquire starts a new one.
func (h *Hub) remove(key participant.Key, shared *sharedFeed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.feeds[key] == shared {
		h.stop(key, shared)
	}
}

// stop stops a feed and removes it. h.mu is held.
func (h *Hub) stop(key participant.Key, shared *sharedFeed) {
	shared.stopLinger()
	delete(h.feeds, key)
	shared.stop()
}

// lookup returns the live feed of a key, nil if there is none.
func (h *Hub) lookup(key participant.Key) *Feed {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.live(key)
}

// live is lookup under the lock.
func (h *Hub) live(key participant.Key) *Feed {
	if shared := h.feeds[key]; shared != nil && shared.feed.State().End == nil {
		return shared.feed
	}
	return nil
}

// recordWrite records a write that succeeded, and returns the feed that must apply it, nil
// if there is none.
func (h *Hub) recordWrite(key participant.Key, kind participant.WriteKind) *Feed {
	h.mu.Lock()
	defer h.mu.Unlock()
	if kind == participant.WriteAdd {
		h.adds.record(key, time.Now())
	}
	return h.live(key)
}

// Each calls visit with the State of every feed, for metrics.
func (h *Hub) Each(visit func(key participant.Key, state *State)) {
	for _, feed := range h.Feeds() {
		visit(feed.key, feed.State())
	}
}

// Feeds returns all feeds, those that linger included.
func (h *Hub) Feeds() []*Feed {
	h.mu.Lock()
	defer h.mu.Unlock()
	feeds := make([]*Feed, 0, len(h.feeds))
	for _, shared := range h.feeds {
		feeds = append(feeds, shared.feed)
	}
	return feeds
}

// Close stops all feeds and waits for them. Nobody may call Acquire afterwards.
func (h *Hub) Close() {
	h.mu.Lock()
	for key, shared := range h.feeds {
		h.stop(key, shared)
	}
	h.mu.Unlock()
	h.stopAll()
	h.running.Wait()
}

// now returns the time by the clock of the logs.
func (h *Hub) now() time.Time { return time.Now().Add(h.logs.Ahead()) }

// requestElsewhere asks the process that polls a conference, unless it is this one. It does not
// wait. feed is the one of this process, if there is one.
func (h *Hub) requestElsewhere(key participant.Key, feed *Feed, request Request) {
	h.running.Go(func() {
		ctx, cancel := context.WithTimeout(h.ctx, maxChangeAge)
		defer cancel()
		if feed != nil {
			feed.request(ctx, request)
			return
		}
		h.logs.Request(ctx, key, request)
	})
}
