package feed

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/roster"
)

// poll reads lists, one after the other, until ctx ends or the feed does.
func (f *Feed) poll(ctx context.Context) {
	for f.State().End == nil && f.untilDue(ctx) {
		if err := f.source.Turn(ctx, f.firstAttempt()); err != nil {
			return // Turn fails only with ctx.
		}
		began, firstFailure := f.beginList()
		start := time.Now()
		list, err := f.source.List(ctx)
		if ctx.Err() != nil {
			return // What was cut short by our own end says nothing of the upstream.
		}
		if err != nil {
			f.failed(err)
		} else {
			err = f.applied(began, list)
		}
		f.logFailure(ctx, err, firstFailure)
		nudge(f.judged)
		if f.options.Observer != nil {
			f.options.Observer.Polled(time.Since(start), err)
		}
	}
}

// firstAttempt reports whether the next list is the first attempt at any.
func (f *Feed) firstAttempt() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.schedule.attempted
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

// beginList stamps the start of a list; firstFailure says that it would be the first in a
// row if it failed.
func (f *Feed) beginList() (began roster.LogicalTime, firstFailure bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.schedule.begin(time.Now())
	return f.tick(), f.freshness.failure == ""
}

// logFailure logs the first failure in a row loudly, the others quietly.
func (f *Feed) logFailure(ctx context.Context, err error, first bool) {
	if err == nil {
		return
	}
	level := slog.LevelDebug
	if first {
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{slog.String("error", err.Error())}
	var e *apierror.Error
	if errors.As(err, &e) && e.UpstreamRequestID != "" {
		attrs = append(attrs, slog.String("upstream_request_id", e.UpstreamRequestID))
	}
	f.logger.LogAttrs(ctx, level, "poll failed", attrs...)
}
