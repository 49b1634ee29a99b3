package feed_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
)

// TestR07_404AfterAnAddOfAnotherReplicaIsLag lets the upstream answer 404 to a feed that heard of
// no Add itself.
func TestR07_404AfterAnAddOfAnotherReplicaIsLag(t *testing.T) {
	for name, test := range map[string]struct {
		// ago is how long ago the Add was when the watch begins; none if negative.
		ago   time.Duration
		err   error
		ended bool
	}{
		"just now":         {0, feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound), false},
		"8 s ago":          {8 * time.Second, feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound), false},
		"11 s ago":         {11 * time.Second, feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound), true},
		"no Add":           {-1, feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound), true},
		"403 is no lag":    {0, feedtest.Refusal(http.StatusForbidden, apierror.UpstreamForbidden), true},
		"another failure":  {0, feedtest.Refusal(http.StatusConflict, apierror.UpstreamConflict), false},
		"no known failure": {0, context.DeadlineExceeded, false},
	} {
		t.Run(name, func(t *testing.T) {
			var added time.Time
			options := feed.Options{LastAdd: func(_ context.Context, conference string) time.Time {
				if conference != key().Conference {
					t.Errorf("asked for %q", conference)
				}
				return added
			}}
			run(t, options, func(h *harness) {
				if test.ago >= 0 {
					added = time.Now().Add(-test.ago)
				}
				h.Fail(test.err)
				f, release := h.watch()
				defer release()
				h.advance(1500 * time.Millisecond)
				if ended := f.State().End != nil; ended != test.ended {
					t.Errorf("ended %v, want %v", ended, test.ended)
				}
			})
		})
	}
}
