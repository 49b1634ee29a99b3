package feed_test

import (
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
)

// TestA07_OnlyAFreshFeedThatHoldsTheParticipantAnswers looks for a participant in feeds of all kinds.
func TestA07_OnlyAFreshFeedThatHoldsTheParticipantAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		change func(h *harness)
		key    participant.Key
		id     string
		want   bool
	}{
		"fresh":               {func(*harness) {}, key(), "a", true},
		"another participant": {func(*harness) {}, key(), "b", false},
		"another conference":  {func(*harness) {}, participant.Key{Credential: key().Credential, Conference: "other"}, "a", false},
		"another credential": {
			func(*harness) {}, participant.Key{Credential: participant.Fingerprint{2}, Conference: "conf"}, "a", false,
		},
		"stale": {func(h *harness) {
			h.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
			h.advance(20 * time.Second)
		}, key(), "a", false},
		"removed by this gateway": {func(h *harness) {
			h.hub.Begin(t.Context(), key()).Done(participant.Write{Kind: participant.WriteRemove, Item: itemOf("a")})
		}, key(), "a", false},
		"added by this gateway, not listed yet": {func(h *harness) {
			h.hub.Begin(t.Context(), key()).Done(participant.Write{Kind: participant.WriteAdd, Item: itemOf("new")})
			h.advance(2 * time.Second)
		}, key(), "new", true},
		"ended": {func(h *harness) {
			h.Fail(feedtest.Refusal(404, apierror.ConferenceNotFound))
			h.advance(20 * time.Second)
		}, key(), "a", false},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, feed.Options{}, func(h *harness) {
				h.Set("a", participant.StatusConnected)
				_, release := h.watch()
				defer release()
				h.advance(2 * time.Second)
				test.change(h)
				found, ok := h.hub.Find(test.key, test.id)
				if ok != test.want || ok && found.ID != test.id {
					t.Errorf("found %v, %v", found, ok)
				}
			})
		})
	}
}

// TestA07_AGetNeitherStartsNorProlongsAFeed looks a participant up all the time.
func TestA07_AGetNeitherStartsNorProlongsAFeed(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusConnected)
		_, release := h.watch()
		release()
		found := 0
		for range 60 {
			h.advance(time.Second)
			if _, ok := h.hub.Find(key(), "a"); ok {
				found++
			}
		}
		opened, open := h.Sources()
		if found < 25 || found > 31 || opened != 1 || open != 0 {
			t.Errorf("found %d times, %d feeds, %d of them left", found, opened, open)
		}
	})
}

func itemOf(id string) participant.Item {
	return participant.Item{Participant: participant.Participant{ID: id, Status: participant.StatusDialing}, Fields: participant.FieldStatus}
}
