package interceptor

import (
	"context"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/jitter"
)

// Streams are the open streams. A drain ends all of them (W16), and each ends at its maximum
// age (W18).
type Streams struct {
	// maxAge is the maximum age of a stream, 0 for none.
	maxAge time.Duration

	// draining is closed by the drain.
	draining chan struct{}

	mu   sync.Mutex
	open map[*openStream]struct{}
}

// openStream is an entry of Streams. A CancelCauseFunc cannot be a map key.
type openStream struct{ end context.CancelCauseFunc }

// NewStreams returns an empty set of streams. A maxAge of 0 sets no maximum.
func NewStreams(maxAge time.Duration) *Streams {
	return &Streams{maxAge: maxAge, draining: make(chan struct{}), open: map[*openStream]struct{}{}}
}

// Draining returns a channel that is closed when Drain is called. Unary calls end their waits
// then.
func (s *Streams) Draining() <-chan struct{} { return s.draining }

// Drain ends all streams, and every later one, with DRAINING. It is called once.
func (s *Streams) Drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.draining)
	for stream := range s.open {
		stream.end(draining())
	}
}

// StreamContext returns a context for a stream, which ends with ctx, with a drain, or at the
// maximum age. Its cause is then an apierror.Error.
func (s *Streams) StreamContext(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	stream := &openStream{end: end}
	s.mu.Lock()
	s.open[stream] = struct{}{}
	select {
	case <-s.draining:
		end(draining())
	default:
	}
	s.mu.Unlock()
	stopTimer := s.ageTimer(func() { end(streamAged()) })
	return ctx, func() {
		stopTimer()
		end(nil)
		s.mu.Lock()
		delete(s.open, stream)
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
