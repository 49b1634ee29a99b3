package feed

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// poll reads lists, one after the other, until ctx ends or the feed does.
func (f *Feed) poll(ctx context.Context) {
	for f.untilDue(ctx) {
		if err := f.source.Turn(ctx, !f.State().Known); err != nil {
			return // Turn fails only with ctx.
		}
		began := f.beginList()
		start := time.Now()
		list, err := f.source.List(ctx)
		if ctx.Err() != nil {
			return // What was cut short by our own end says nothing of the upstream.
		}
		if err == nil {
			err = f.applied(began, list)
		}
		if err != nil {
			f.logFailure(ctx, err)
			f.failed(err)
		}
		nudge(f.judged)
		if f.options.Observer != nil {
			f.options.Observer.Polled(time.Since(start), err)
		}
		if f.State().End != nil {
			return
		}
	}
}

// untilDue waits until the next list is due; false when ctx has ended.
func (f *Feed) untilDue(ctx context.Context) bool {
	for {
		f.mu.Lock()
		wait := time.Until(f.schedule.due)
		f.mu.Unlock()
		if wait <= 0 {
			return ctx.Err() == nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-f.hurried:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return false
		}
	}
}

// beginList stamps the start of a list.
func (f *Feed) beginList() roster.Stamp {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.schedule.started = time.Now()
	return f.tick()
}

// logFailure tells of the first failure in a row loudly, of the others quietly.
func (f *Feed) logFailure(ctx context.Context, err error) {
	f.mu.Lock()
	level := slog.LevelDebug
	if f.schedule.failures == 0 {
		level = slog.LevelWarn
	}
	f.mu.Unlock()
	attrs := []slog.Attr{slog.String("error", err.Error())}
	var e *participant.Error
	if errors.As(err, &e) && e.UpstreamRequestID != "" {
		attrs = append(attrs, slog.String("upstream_request_id", e.UpstreamRequestID))
	}
	f.logger.LogAttrs(ctx, level, "poll failed", attrs...)
}
