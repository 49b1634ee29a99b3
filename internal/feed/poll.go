package feed

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/roster"
)

// poll reads one list after another until ctx ends or the feed does.
func (f *Feed) poll(ctx context.Context) {
	for f.State().End == nil {
		early, ok := f.waitForTurn(ctx)
		if !ok {
			return
		}
		began, firstFailure := f.beginList(early)
		start := time.Now()
		list, err := f.source.List(ctx)
		if ctx.Err() != nil {
			return // The feed stopped this list, so its error proves nothing about the upstream.
		}
		if err != nil {
			f.applyFailure(err)
		} else {
			err = f.applyList(began, list)
		}
		f.logFailure(ctx, err, firstFailure)
		notify(f.polled)
		if f.options.Observer != nil {
			f.options.Observer.Polled(time.Since(start), err)
		}
	}
}

// firstAttempt reports whether the feed has not tried to read a list yet.
func (f *Feed) firstAttempt() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.schedule.attempted
}

// waitUntilDue waits until the next list is due, or may start early. It returns false if ctx
// has ended.
func (f *Feed) waitUntilDue(ctx context.Context) bool {
	for {
		f.mu.Lock()
		wait := time.Until(f.schedule.nextStart())
		f.mu.Unlock()
		if wait <= 0 {
			return ctx.Err() == nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-f.rescheduled:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return false
		}
	}
}

// beginList records the start of a list, which may be early. firstFailure reports that no list
// has failed since the last success.
func (f *Feed) beginList(early bool) (began roster.LogicalTime, firstFailure bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.schedule.listStarted(time.Now(), early)
	return f.tick(), f.freshness.lastFailure == ""
}

// logFailure logs the first of consecutive failures as a warning, the others for debugging.
func (f *Feed) logFailure(ctx context.Context, err error, first bool) {
	if err == nil {
		return
	}
	level := slog.LevelDebug
	if first {
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{slog.String("error", err.Error())}
	if e, ok := errors.AsType[*apierror.Error](err); ok && e.UpstreamRequestID != "" {
		attrs = append(attrs, slog.String("upstream_request_id", e.UpstreamRequestID))
	}
	f.logger.LogAttrs(ctx, level, "poll failed", attrs...)
}
