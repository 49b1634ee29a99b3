package feed

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/roster"
)

// tickAgain is how long after a failure the log is asked for the time again.
const tickAgain = 300 * time.Millisecond

// poll reads lists whenever this process has the lease, until ctx ends or the feed does.
func (f *Feed) poll(ctx context.Context) {
	for f.State().End == nil {
		lease, err := f.log.Lead(ctx)
		if err != nil {
			return
		}
		f.pollUnder(lease.Context(), lease) //nolint:contextcheck // The lease ends with ctx.
	}
}

// pollUnder reads lists while a lease lasts. Before the first one the feed has applied what the
// process that polled before has appended.
func (f *Feed) pollUnder(ctx context.Context, lease Lease) {
	defer lease.Release()
	// A log that was replaced since then is not reached.
	if !f.reachSoon(ctx, lease.Head()) && !f.reach(ctx, Head{}) {
		return
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	f.takeOver(lease, f.account.OpenSource(ctx, f.key.Conference))
	defer f.stepDown()
	f.openLog(ctx)
	f.readLists(ctx, lease)
}

// openLog begins a log if there is none, so that writes through other processes reach a feed
// whose first list is in flight (W5).
func (f *Feed) openLog(ctx context.Context) {
	f.commit(ctx, func() *Draft {
		if f.unusable == nil || f.roster.Known() {
			return nil
		}
		return &Draft{Lease: f.lease, Status: f.newStatus(f.freshness, f.schedule, nil)}
	}, nil)
}

// takeOver makes this process the one that polls. It goes on with the schedule of the one
// before.
func (f *Feed) takeOver(lease Lease, source Source) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lease, f.source = lease, source
	f.schedule.inProgress = false
	if f.status != nil {
		f.schedule.resume(f.status, f.logs.Ahead())
		f.schedule.update(f.pace())
	}
	notify(f.polled) // The freshness depends on the account's pace now.
}

// stepDown ends what takeOver began.
func (f *Feed) stepDown() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lease, f.source = nil, nil
}

// readLists reads one list after another until ctx ends or the feed does.
func (f *Feed) readLists(ctx context.Context, lease Lease) {
	for f.State().End == nil {
		early, ok := f.waitForTurn(ctx)
		if !ok {
			return
		}
		began, firstFailure, ok := f.beginList(ctx, early)
		if !ok {
			continue
		}
		polling, span := f.startSpan(ctx, early)
		f.readList(polling, lease, began, firstFailure, span)
	}
}

// readList reads one list, and ends its span.
func (f *Feed) readList(ctx context.Context, lease Lease, began roster.LogicalTime, firstFailure bool, span trace.Span) {
	start := time.Now()
	list, err := f.source.List(ctx)
	defer func() { requestctx.EndSpan(span, err) }()
	if ctx.Err() != nil {
		return // The feed stopped this list, so its error proves nothing about the upstream.
	}
	if err != nil {
		f.learnLastAdd(ctx, err)
		f.applyFailure(ctx, lease, err)
	} else {
		err = f.applyList(ctx, lease, began, list)
	}
	f.logFailure(ctx, err, firstFailure)
	notify(f.polled)
	if f.options.Observer != nil {
		f.options.Observer.Polled(ctx, time.Since(start), err)
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
// has failed since the last success. ok is false if the log did not return the logical time; then
// some time has passed.
func (f *Feed) beginList(ctx context.Context, early bool) (began roster.LogicalTime, firstFailure, ok bool) {
	began, err := f.log.Tick(ctx, f.knownTime())
	if err != nil {
		select {
		case <-time.After(tickAgain):
		case <-ctx.Done():
		}
		return 0, false, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.schedule.listStarted(time.Now(), early)
	return began, f.freshness.lastFailure == "", true
}

// knownTime returns the latest logical time that the feed knows.
func (f *Feed) knownTime() roster.LogicalTime {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.clock
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
