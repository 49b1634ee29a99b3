package service

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

// Streams are the watch streams that are open: they end together when the gateway
// drains (W16), and each by itself when it is old enough (W18).
type Streams struct {
	// maxAge is how long a stream may last; 0 for ever.
	maxAge time.Duration

	mu       sync.Mutex
	draining bool
	open     map[*boundStream]struct{}
}

// boundStream is a stream that can be ended with a cause.
type boundStream struct{ end context.CancelCauseFunc }

// NewStreams returns the streams of a gateway; maxAge 0 sets no bound.
func NewStreams(maxAge time.Duration) *Streams {
	return &Streams{maxAge: maxAge, open: map[*boundStream]struct{}{}}
}

// Drain ends all streams, and those that come, with DRAINING.
func (s *Streams) Drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	for stream := range s.open {
		stream.end(draining())
	}
}

// Bound gives a stream's context an end: that of ctx, the drain, or its age. The
// cause tells which.
func (s *Streams) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	stream := &boundStream{end: end}
	s.mu.Lock()
	s.open[stream] = struct{}{}
	if s.draining {
		end(draining())
	}
	s.mu.Unlock()
	stopAging := s.ageTimer(func() { end(streamAged()) })
	return ctx, func() {
		stopAging()
		end(nil)
		s.mu.Lock()
		delete(s.open, stream)
		s.mu.Unlock()
	}
}

// ageSpread is how far ages differ from maxAge, so that streams that began together
// do not end together.
const ageSpread = 0.1

func (s *Streams) ageTimer(end func()) (stop func()) {
	if s.maxAge == 0 {
		return func() {}
	}
	timer := time.AfterFunc(spread(s.maxAge, ageSpread), end)
	return func() { timer.Stop() }
}

// spread gives a duration within a share of d.
func spread(d time.Duration, share float64) time.Duration {
	return time.Duration(float64(d) * (1 - share + 2*share*rand.Float64()))
}

// retryBase and its spread are when the client of an ended stream should call again:
// over some seconds, so that the others are not overrun.
const (
	retryBase   = 2 * time.Second
	retrySpread = 0.75
)

func draining() error {
	return &apierror.Error{
		Reason:     apierror.Draining,
		Message:    "the gateway is shutting down; call again",
		RetryAfter: spread(retryBase, retrySpread),
	}
}

func streamAged() error {
	return &apierror.Error{
		Reason:     apierror.StreamAged,
		Message:    "the stream has reached its greatest age; call again with the last resume_token",
		RetryAfter: spread(retryBase, retrySpread),
	}
}
