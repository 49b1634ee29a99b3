package batch

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/write"
)

// keepInterval is how often a batch and the claims of its entries are extended in the shared state.
const keepInterval = time.Minute

// sending is the time in which a batch has a stream: its entries may be sent.
type sending struct {
	// ctx ends when the last stream leaves, or the process drains.
	ctx  context.Context //nolint:containedctx // It is that of goroutines.
	stop context.CancelFunc
	// began is when it began; started is the number of entries that were started.
	began   time.Time
	started int
	// isStarting is true while a goroutine starts entries.
	isStarting bool
}

// begin lets entries be sent from now on. Batches.mu is held.
func (b *Batches) begin(values context.Context) *sending {
	ctx, stop := context.WithCancel(values)
	go func() {
		defer stop()
		select {
		case <-b.options.Draining:
		case <-ctx.Done():
		}
	}()
	return &sending{ctx: ctx, stop: stop, began: time.Now()}
}

// start starts the waiting entries, unless that goes on already. Batches.mu is held.
func (b *Batches) start(target *batch) {
	s := target.sending
	if s == nil || s.isStarting || s.ctx.Err() != nil || target.next() < 0 {
		return
	}
	s.isStarting = true
	go func() {
		_ = panics.Recover(b.options.Logger, "batch", func() { b.run(target, s) })
		b.mu.Lock()
		defer b.mu.Unlock()
		s.isStarting = false
		b.start(target)
	}()
	b.keep(target)
}

// next returns the index of the entry to start next, or -1.
func (b *batch) next() int {
	for _, index := range b.request.Order {
		if b.entries[index].state == waiting {
			return index
		}
	}
	return -1
}

// run starts one entry after the other. Each waits for its turn alone.
func (b *Batches) run(target *batch, s *sending) {
	for {
		if b.options.Shared != nil && b.options.Shared.WaitAvailable(s.ctx) != nil {
			return
		}
		left := b.startNext(target, s)
		if left == nil {
			return
		}
		select {
		case <-left:
		case <-s.ctx.Done():
			return
		}
	}
}

// startNext starts the next entry. The channel that it returns is closed when the entry waits for
// no turn; it is nil if no entry waits.
func (b *Batches) startNext(target *batch, s *sending) (left <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	index := target.next()
	if index < 0 || s.ctx.Err() != nil {
		return nil
	}
	target.entries[index].state = adding
	target.adding++
	s.started++
	one := &attempt{batches: b, batch: target, index: index, request: target.request, left: make(chan struct{})}
	go one.run(s.ctx)
	return one.left
}

// attempt is one attempt at an entry.
type attempt struct {
	batches *Batches
	batch   *batch
	index   int
	request Request

	once sync.Once
	left chan struct{}
}

// run adds the entry. Its end is not that of ctx once the add was sent.
func (a *attempt) run(ctx context.Context) {
	defer a.once.Do(func() { close(a.left) })
	adding, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	detach := context.AfterFunc(ctx, cancel)
	call := a.request.Call
	call.Entry = &write.Entry{Batch: a.batch.name, Number: a.index + 1, Left: func(sent bool) {
		if sent {
			detach()
		}
		a.once.Do(func() { close(a.left) })
	}}
	adding, span := a.startSpan(adding)
	adding, ids := requestctx.WithIDs(adding, requestctx.RequestID(adding))
	var added write.Added
	var err error
	if panics.Recover(a.batches.options.Logger, "entry of a batch", func() {
		added, err = a.batches.options.Adder.Add(adding, call, a.batch.entries[a.index].add)
	}) != nil {
		err = &apierror.Error{Reason: apierror.Internal, Message: "the gateway failed", Dialled: apierror.DialledUnknown}
	}
	requestctx.EndSpan(span, err)
	if a.isInterrupted(ctx, adding, err) {
		a.batches.interrupted(a.batch, a.index)
		return
	}
	if a.request.Done != nil {
		a.request.Done(a.index, added, err, ids.UpstreamRequest())
	}
	a.batches.finished(a.batch, a.index, added, err)
}

// startSpan starts the span of an entry. It has a trace of its own, linked to that of the call: a
// trace with all adds of a batch would be too large to read.
func (a *attempt) startSpan(ctx context.Context) (context.Context, trace.Span) {
	link := trace.Link{SpanContext: trace.SpanContextFromContext(ctx)}
	ctx, span := requestctx.StartSpan(ctx, "batch entry", trace.WithNewRoot(), trace.WithLinks(link))
	if span.IsRecording() {
		requestctx.SetID(span, "conference_id", a.request.Call.Key.Conference)
		span.SetAttributes(attribute.Int("entry", a.index+1))
	}
	return ctx, span
}

// isInterrupted reports whether the attempt has no outcome: its streams have left, or Redis is
// away.
func (a *attempt) isInterrupted(ctx, adding context.Context, err error) bool {
	switch {
	case err == nil:
		return false
	case adding.Err() != nil:
		return true
	}
	e := apierror.From(err)
	if e.Reason != apierror.SharedStateUnavailable {
		return e.Reason == apierror.Draining
	}
	timer := time.NewTimer(e.RetryAfter)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return true
}

// interrupted makes an entry wait again.
func (b *Batches) interrupted(target *batch, index int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	target.entries[index].state = waiting
	target.adding--
	target.notify()
	b.start(target)
	b.expireIfIdle(target)
}

// finished notes the outcome of an entry.
func (b *Batches) finished(target *batch, index int, added write.Added, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := &target.entries[index]
	e.state, e.added, e.err = done, added, err
	target.adding--
	target.log = append(target.log, index)
	target.notify()
	b.expireIfIdle(target)
}

// keep extends the batch in the shared state while it is in use. Batches.mu is held.
func (b *Batches) keep(target *batch) {
	if b.options.Shared == nil || target.scope == "" || target.keeping {
		return
	}
	target.keeping = true
	go func() {
		for b.isUsed(target) {
			b.extend(target)
			b.waitUnused(target)
		}
		b.extend(target)
	}()
}

// isUsed reports whether a batch has a stream or a running add. If not, keep ends.
func (b *Batches) isUsed(target *batch) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	target.keeping = target.streams > 0 || target.adding > 0
	return target.keeping
}

// waitUnused waits for keepInterval, or until the batch is not used.
func (b *Batches) waitUnused(target *batch) {
	timer := time.NewTimer(keepInterval)
	defer timer.Stop()
	for {
		b.mu.Lock()
		changed, used := target.changed, target.streams > 0 || target.adding > 0
		b.mu.Unlock()
		if !used {
			return
		}
		select {
		case <-timer.C:
			return
		case <-changed:
		}
	}
}

// extend extends the batch in the shared state. If that is away, the next time comes soon enough.
func (b *Batches) extend(target *batch) {
	b.mu.Lock()
	shared, values := sharedBatch(target.scope, target.request), target.values
	b.mu.Unlock()
	_ = b.options.Shared.KeepBatch(values, shared)
}
