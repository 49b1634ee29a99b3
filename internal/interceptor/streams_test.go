package interceptor

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

// wantCause checks the reason for which a stream ended.
func wantCause(t *testing.T, ctx context.Context, reason apierror.Reason) { //nolint:revive // A test comes first.
	t.Helper()
	e, ok := errors.AsType[*apierror.Error](context.Cause(ctx))
	if !ok || e.Reason != reason || e.RetryAfter < 500*time.Millisecond || e.RetryAfter > 3500*time.Millisecond {
		t.Errorf("ended by %v, want %s", context.Cause(ctx), reason)
	}
}

func TestW16_DrainEndsOpenAndLaterStreams(t *testing.T) {
	streams := NewStreams(0)
	before, release := streams.StreamContext(t.Context())
	defer release()
	streams.Drain()
	after, releaseAfter := streams.StreamContext(t.Context())
	defer releaseAfter()
	for _, ctx := range []context.Context{before, after} {
		<-ctx.Done()
		wantCause(t, ctx, apierror.Draining)
	}
	if open := len(streams.open); open != 2 {
		t.Errorf("open: got %d, want 2", open)
	}
}

func TestW16_RetriesAreSpread(t *testing.T) {
	delays := map[time.Duration]bool{}
	for range 100 {
		e, _ := errors.AsType[*apierror.Error](draining())
		delays[e.RetryAfter.Truncate(100*time.Millisecond)] = true
	}
	if len(delays) < 10 {
		t.Errorf("got %v", delays)
	}
}

func TestW18_MaximumAgesDifferByATenth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const age = 30 * time.Minute
		streams := NewStreams(age)
		began := time.Now()
		for range 20 {
			ctx, release := streams.StreamContext(t.Context())
			start := time.Now()
			<-ctx.Done()
			wantCause(t, ctx, apierror.StreamAged)
			if lived := time.Since(start); lived < age*9/10 || lived > age*11/10 {
				t.Errorf("lived %s", lived)
			}
			release()
		}
		if len(streams.open) != 0 || time.Since(began) == 20*age {
			t.Error("streams are left, or all of one age")
		}
	})
}

func TestStreams_TheCallersCancelIsNoError(t *testing.T) {
	streams := NewStreams(time.Hour)
	parent, hangUp := context.WithCancel(t.Context())
	ctx, release := streams.StreamContext(parent)
	defer release()
	hangUp()
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		t.Errorf("ended by %v", cause)
	}
}

func TestStreams_TheOperatorEndsOneWatch(t *testing.T) {
	streams := NewStreams(0)
	_, leave := streams.StreamContext(t.Context()) // Health, for example.
	defer leave()
	first, end := context.WithCancelCause(t.Context())
	firstID, release := streams.OpenWatch(Watch{Caller: "first"}, end)
	defer release()
	secondID, releaseSecond := streams.OpenWatch(Watch{Caller: "second"}, func(err error) { t.Errorf("the other one: %v", err) })
	watches := streams.Watches()
	if len(watches) != 2 || watches[0].ID != firstID || watches[1].ID != secondID {
		t.Fatalf("open: %+v", watches)
	}
	if ended, ok := streams.End(watches[0].ID); !ok || ended.Caller != "first" {
		t.Errorf("ended %+v, %v", ended, ok)
	}
	<-first.Done()
	wantCause(t, first, apierror.StreamEnded)
	releaseSecond()
	for _, id := range []uint64{0, watches[0].ID - 1, watches[1].ID} {
		if _, ok := streams.End(id); ok {
			t.Errorf("stream %d is no open watch", id)
		}
	}
}
