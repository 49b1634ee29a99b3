package interceptor

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/jitter"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// Streams are the open streams. A drain ends all of them (W16), each ends at its maximum age
// (W18), and the operator can end one watch.
type Streams struct {
	// maxAge is the maximum age of a stream, 0 for none.
	maxAge time.Duration

	// draining is closed by the drain.
	draining chan struct{}

	mu   sync.Mutex
	open map[uint64]openStream
	// last is the number of the latest stream.
	last uint64
}

// openStream is an entry of Streams.
type openStream struct {
	end func(error)
	// watch is nil for a stream of another kind, such as health.
	watch *Watch
}

// Watch is an open watch stream, for the operator.
type Watch struct {
	// ID is the number of the stream in this process, which requestctx.Stream returns too.
	ID uint64
	// Caller is the caller's name as in the log, and Address that of the connection's other end.
	Caller, Address string
	RequestID       string
	Transport       requestctx.Transport
	// OpenedAt is when the stream was opened.
	OpenedAt time.Time
}

// NewStreams returns an empty set of streams. A maxAge of 0 sets no maximum.
func NewStreams(maxAge time.Duration) *Streams {
	return &Streams{maxAge: maxAge, draining: make(chan struct{}), open: map[uint64]openStream{}}
}

// Draining returns a channel that is closed when Drain is called. Unary calls end their waits
// then.
func (s *Streams) Draining() <-chan struct{} { return s.draining }

// Drain ends all streams, and every later one, with DRAINING. It is called once.
func (s *Streams) Drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.draining)
	for _, stream := range s.open {
		stream.end(draining())
	}
}

// Watches returns the open watch streams, the oldest first.
func (s *Streams) Watches() []Watch {
	watches := s.watches()
	slices.SortFunc(watches, func(a, b Watch) int { return cmp.Compare(a.ID, b.ID) })
	return watches
}

func (s *Streams) watches() []Watch {
	s.mu.Lock()
	defer s.mu.Unlock()
	watches := make([]Watch, 0, len(s.open))
	for _, stream := range s.open {
		if stream.watch != nil {
			watches = append(watches, *stream.watch)
		}
	}
	return watches
}

// End ends an open watch stream with STREAM_ENDED, and returns it. ok is false if there is none with
// this number.
func (s *Streams) End(id uint64) (ended Watch, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stream := s.open[id]
	if stream.watch == nil {
		return Watch{}, false
	}
	stream.end(streamEnded())
	return *stream.watch, true
}

// StreamContext returns a context for a stream, which ends with ctx, with a drain, or at the
// maximum age. Its cause is then an apierror.Error.
func (s *Streams) StreamContext(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	_, remove := s.add(nil, cancel)
	return ctx, func() {
		cancel(nil)
		remove()
	}
}

// OpenWatch calls end with an apierror.Error at a drain, at the maximum age, or in End, until remove is
// called. It sets the ID, and returns it. The streams may be locked when end is called.
func (s *Streams) OpenWatch(watch Watch, end func(error)) (id uint64, remove func()) {
	return s.add(&watch, end)
}

func (s *Streams) add(watch *Watch, end func(error)) (id uint64, remove func()) {
	s.mu.Lock()
	s.last++
	id = s.last
	if watch != nil {
		watch.ID = id
	}
	s.open[id] = openStream{end: end, watch: watch}
	select {
	case <-s.draining:
		end(draining())
	default:
	}
	s.mu.Unlock()
	stopTimer := s.ageTimer(func() { end(streamAged()) })
	return id, func() {
		stopTimer()
		s.mu.Lock()
		delete(s.open, id)
		s.mu.Unlock()
	}
}

// ageSpread is the relative jitter of the maximum age, so that streams that began together
// do not end together.
const ageSpread = 0.1

func (s *Streams) ageTimer(end func()) (stop func()) {
	if s.maxAge == 0 {
		return func() {}
	}
	timer := time.AfterFunc(jitter.Around(s.maxAge, ageSpread), end)
	return func() { timer.Stop() }
}

// retryBase and retrySpread give the clients of ended streams different retry delays, so that
// they do not overload the other replicas.
const (
	retryBase   = 2 * time.Second
	retrySpread = 0.75
)

func draining() error {
	return &apierror.Error{
		Reason:     apierror.Draining,
		Message:    "the gateway is shutting down; call again",
		RetryAfter: jitter.Around(retryBase, retrySpread),
	}
}

func streamAged() error {
	return &apierror.Error{
		Reason:     apierror.StreamAged,
		Message:    "the stream has reached its maximum age; call again with the last resume_token",
		RetryAfter: jitter.Around(retryBase, retrySpread),
	}
}

func streamEnded() error {
	return &apierror.Error{
		Reason:     apierror.StreamEnded,
		Message:    "the operator of the gateway has ended the stream; call again with the last resume_token",
		RetryAfter: jitter.Around(retryBase, retrySpread),
	}
}
