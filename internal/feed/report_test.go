package feed_test

import (
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
)

func TestLastAttempt_OfThisProcess(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Slow(200 * time.Millisecond)
		watched, release := h.watch()
		defer release()
		if got := watched.LastAttempt(); got != (feed.Attempt{}) {
			t.Errorf("before the first list: %+v", got)
		}
		h.advance(300 * time.Millisecond)
		if got := watched.LastAttempt(); !got.Began.Equal(h.Starts()[0]) || got.Took != 200*time.Millisecond || got.Reason != "" {
			t.Errorf("after a list: %+v", got)
		}
		h.Fail(&apierror.Error{Reason: apierror.UpstreamTimeout})
		h.advance(3 * time.Second)
		if got := watched.LastAttempt(); time.Since(got.Began) > 3*time.Second || got.Reason != apierror.UpstreamTimeout {
			t.Errorf("after a failure: %+v", got)
		}
	})
}

func TestLastAttempt_OfAnotherReplica(t *testing.T) {
	runReplicas(t, 2, func(r *replicas) {
		feeds := r.watchAll()
		r.Slow(200 * time.Millisecond)
		r.advance(3 * time.Second)
		follower := r.feedAt(r.other(), feeds)
		if got := follower.LastAttempt(); got.Reason != "" || got.Took != 200*time.Millisecond || time.Since(got.Began) > 3*time.Second || got.Began.After(time.Now()) {
			t.Errorf("after a list: %+v", got)
		}
		r.Fail(&apierror.Error{Reason: apierror.UpstreamTimeout})
		r.advance(10 * time.Second)
		if got := follower.LastAttempt(); got.Reason != apierror.UpstreamTimeout || got.Took != 0 || time.Since(got.Began) > 10*time.Second {
			t.Errorf("after a failure: %+v", got)
		}
	})
}

func TestState_BytesGrowWithRosterAndHistory(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		watched, release := h.watch()
		defer release()
		h.advance(time.Second)
		empty := watched.State().Bytes()
		h.Set("part_1", participant.StatusDialing)
		h.advance(2 * time.Second)
		joined := watched.State()
		if empty != 0 || joined.Bytes() < 200 || joined.Changes() != 1 {
			t.Errorf("%d bytes, then %d with %d changes", empty, joined.Bytes(), joined.Changes())
		}
		h.Set("part_1", participant.StatusConnected)
		h.advance(2 * time.Second)
		if changed := watched.State(); changed.Bytes() <= joined.Bytes() || changed.Changes() != 2 || changed.People.Len() != 1 {
			t.Errorf("%d bytes, then %d with %d changes", joined.Bytes(), changed.Bytes(), changed.Changes())
		}
	})
}
