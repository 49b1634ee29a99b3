package watch_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

const history = 4096

func TestW01_SnapshotFirst(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Set("b", held)
		s.Set("a", connected)
		s.Set("c", disconnected)
		c := s.watch(watch.Request{})
		defer c.subscription.Close()
		message, err := c.next()
		if err != nil {
			t.Fatal(err)
		}
		if got := words(message); got != "initial a(connected) b(held) c(disconnected)" {
			t.Errorf("got %q", got)
		}
		if message.Snapshot.Total != 3 || message.Snapshot.Active != 2 {
			t.Errorf("total %d, active %d", message.Snapshot.Total, message.Snapshot.Active)
		}
	})
}

func TestW01_StaleWithinFiveSecondsWhereNoListCanBeRead(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		start := time.Now()
		c := s.watch(watch.Request{ResumeToken: "pgw9.x"})
		defer c.subscription.Close()
		message, err := c.next()
		if err != nil || words(message) != "stale UPSTREAM_UNAVAILABLE" {
			t.Fatalf("got %v, %v", message, err)
		}
		if took := time.Since(start); took >= 5*time.Second {
			t.Errorf("took %v", took)
		}
		if message.Token != "pgw9.x" || message.Checkpoint.Counts != nil {
			t.Errorf("before the first snapshot: token %q, counts %v", message.Token, message.Checkpoint.Counts)
		}
		s.Fail(nil)
		s.Set("a", connected)
		c.expect("expired a(connected)")
		c.expect("fresh")
	})
}

func TestW01_StaleStreamGoesOnUntilTheFirstList(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Fail(feedtest.Outage(apierror.UpstreamTimeout))
		c := s.watch(watch.Request{})
		defer c.subscription.Close()
		c.expect("stale UPSTREAM_TIMEOUT")
		c.expect("stale UPSTREAM_TIMEOUT") // The heartbeat.
		s.Fail(nil)
		c.expect("initial")
		c.expect("fresh")
	})
}

func TestW01_RefusalOfAFeedThatIsNotKnown(t *testing.T) {
	tests := map[apierror.Reason]int{
		apierror.ConferenceNotFound:      http.StatusNotFound,
		apierror.UpstreamForbidden:       http.StatusForbidden,
		apierror.UpstreamUnauthenticated: http.StatusUnauthorized,
	}
	for reason, status := range tests {
		t.Run(string(reason), func(t *testing.T) {
			play(t, history, func(s *scene) {
				s.Fail(feedtest.Refusal(status, reason))
				c := s.watch(watch.Request{})
				defer c.subscription.Close()
				c.expectError(reason)
			})
		})
	}
}

func TestW01_RefusalAfterStaleEndsTheStream(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Fail(feedtest.Outage(apierror.UpstreamTimeout))
		c := s.watch(watch.Request{Heartbeat: 5 * time.Second})
		defer c.subscription.Close()
		c.expect("stale UPSTREAM_TIMEOUT")
		c.expect("stale UPSTREAM_TIMEOUT") // The heartbeat.
		s.Fail(feedtest.Refusal(http.StatusForbidden, apierror.UpstreamForbidden))
		c.expectError(apierror.UpstreamForbidden)
	})
}

func TestW04_HistoryAgesThoughNothingIsAppended(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Set("a", dialing)
		c := s.watch(watch.Request{})
		defer c.subscription.Close()
		c.expect("initial a(dialing)")
		before := c.token
		s.Set("a", connected)
		c.expect("a(dialing>connected)")
		s.after(11 * time.Minute)
		late := s.watch(watch.Request{ResumeToken: before})
		defer late.subscription.Close()
		late.expect("expired a(connected)")
	})
}

func TestW17_RolesAndSeveralFields(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Set("a", connected)
		filter := participant.NewFilter([]participant.Status{connected}, []participant.Role{""}, []string{"a", "b"})
		c := s.watch(watch.Request{Filter: filter})
		defer c.subscription.Close()
		c.expect("initial a(connected)")
		s.SetRole("a", participant.RolePresenter)
		c.expect("~a(connected>connected)")
		s.SetRole("a", "")
		c.expect("+a(connected>connected)")
		s.Set("c", connected) // Not among the ids.
		s.Set("a", held)
		c.expect("~a(connected>held)")
	})
}

func TestW01_StaleFeedSendsWhatItHasAndSaysSo(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Set("a", dialing)
		first := s.watch(watch.Request{})
		defer first.subscription.Close()
		first.expect("initial a(dialing)")
		s.Set("a", connected)
		s.after(1100 * time.Millisecond)
		s.Fail(feedtest.Outage(apierror.UpstreamTimeout))
		s.after(10 * time.Second)

		second := s.watch(watch.Request{})
		defer second.subscription.Close()
		second.expect("initial a(connected)")
		second.expect("stale UPSTREAM_TIMEOUT")

		third := s.watch(watch.Request{ResumeToken: first.token})
		defer third.subscription.Close()
		third.held = map[string]participant.Participant{"a": {ID: "a"}}
		third.expect("a(dialing>connected)")
		third.expect("stale UPSTREAM_TIMEOUT")
	})
}

func TestW04_ResumeGivesExactlyWhatWasMissed(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Set("a", dialing)
		c := s.watch(watch.Request{})
		c.expect("initial a(dialing)")
		s.Set("b", dialing)
		c.expect("+b(dialing)")
		c.subscription.Close()

		s.Set("a", connected)
		s.after(1100 * time.Millisecond)
		s.Set("b", connected)
		s.after(1100 * time.Millisecond)
		s.Remove("a")
		s.after(6 * time.Second)

		again := s.watch(watch.Request{ResumeToken: c.token})
		defer again.subscription.Close()
		again.held = c.held
		again.expect("a(dialing>connected)")
		again.expect("b(dialing>connected)")
		again.expect("-a(connected>connected)")
		again.expect("fresh") // The heartbeat: nothing else is missed.
	})
}

func TestW04_ResumeWithNothingMissedGivesAFreshCheckpoint(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Set("a", connected)
		filter := only(connected)
		c := s.watch(watch.Request{Filter: filter})
		c.expect("initial a(connected)")
		c.subscription.Close()
		s.Set("b", dialing) // Not visible.
		s.after(6 * time.Second)

		again := s.watch(watch.Request{Filter: filter, ResumeToken: c.token})
		defer again.subscription.Close()
		again.held = c.held
		start := time.Now()
		again.expect("fresh")
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v", took)
		}
		if again.token == c.token {
			t.Error("the token should be past the change that the filter hides")
		}
	})
}

func TestW04_AnyOtherTokenGivesOneSnapshot(t *testing.T) {
	play(t, 2, func(s *scene) {
		s.Set("a", dialing)
		c := s.watch(watch.Request{})
		defer c.subscription.Close()
		c.expect("initial a(dialing)")
		fallenOff := c.token
		flips := []participant.Status{connected, held, connected, held}
		for _, status := range flips {
			s.Set("a", status)
			if _, err := c.next(); err != nil {
				t.Fatal(err)
			}
		}
		other := s.watch(watch.Request{Conference: "other"})
		defer other.subscription.Close()
		other.expect("initial a(held)")

		tokens := map[string]struct {
			token  string
			filter participant.Filter
			want   string
		}{
			"fallen off":                  {token: fallenOff, want: "expired a(held)"},
			"other conference":            {token: other.token, want: "expired a(held)"},
			"other format version":        {token: "pgw2.anything", want: "expired a(held)"},
			"unknown epoch":               {token: corrupt(c.token, 0), want: "expired a(held)"},
			"ahead of the log":            {token: corrupt(c.token, 32), want: "expired a(held)"},
			"other filter":                {token: c.token, filter: only(held), want: "refiltered a(held)"},
			"fallen off and other filter": {token: fallenOff, filter: only(held), want: "expired a(held)"},
		}
		for name, test := range tokens {
			t.Run(name, func(t *testing.T) {
				again := s.watch(watch.Request{ResumeToken: test.token, Filter: test.filter})
				defer again.subscription.Close()
				again.expect(test.want)
			})
		}
	})
}

// corrupt changes one byte of what a token holds: the epoch begins at 0, the sequence
// number at 32.
func corrupt(token string, at int) string {
	prefix, encoded, _ := strings.Cut(token, ".")
	body, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		panic(err)
	}
	body[at] ^= 0x40
	return prefix + "." + base64.RawURLEncoding.EncodeToString(body)
}

func TestW04_TextThatIsNoTokenIsRefused(t *testing.T) {
	play(t, history, func(s *scene) {
		c := s.watch(watch.Request{})
		c.expect("initial")
		c.subscription.Close()
		for _, text := range []string{"x", "pgw", "pgw1", "pgw.", "pgwx.AAAA", "pgw1.", "pgw1.!!!!", c.token[:20], c.token + "!", "PGW1.AAAA"} {
			_, err := s.watcher.Subscribe(watch.Request{Account: s.Upstream, Conference: "conf", ResumeToken: text})
			if apierror.ReasonOf(err) != apierror.InvalidResumeToken {
				t.Errorf("%q: got %v", text, err)
			}
		}
	})
}

func TestW10_OneStaleThenDiffThenOneFresh(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Set("a", dialing)
		c := s.watch(watch.Request{})
		defer c.subscription.Close()
		c.expect("initial a(dialing)")
		s.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		c.expect("stale UPSTREAM_UNAVAILABLE")
		s.Remove("a")
		s.Set("b", connected)
		s.Fail(nil)
		c.expect("+b(connected) -a(dialing>dialing)")
		c.expect("fresh")
	})
}

func TestW10_RecoveryWithoutADiffIsOneFresh(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Set("a", dialing)
		c := s.watch(watch.Request{Heartbeat: time.Minute})
		defer c.subscription.Close()
		c.expect("initial a(dialing)")
		s.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		c.expect("stale UPSTREAM_UNAVAILABLE")
		start := time.Now()
		s.Fail(nil)
		c.expect("fresh")
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("recovery was noticed after %v", took)
		}
		c.expect("fresh")
		if took := time.Since(start); took < 50*time.Second {
			t.Errorf("a second FRESH after %v is no heartbeat", took)
		}
	})
}

func TestW11_EndIsTheLastMessage(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Set("a", connected)
		c := s.watch(watch.Request{})
		defer c.subscription.Close()
		c.expect("initial a(connected)")
		s.Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
		c.expect("end")
		if _, err := c.next(); !errors.Is(err, io.EOF) {
			t.Errorf("after the end: %v", err)
		}
		s.Fail(nil)
		again := s.watch(watch.Request{ResumeToken: c.token})
		defer again.subscription.Close()
		again.expect("expired a(connected)") // The epoch is over.
	})
}

func TestW11_WithdrawnConferenceEndsWithAnError(t *testing.T) {
	play(t, history, func(s *scene) {
		c := s.watch(watch.Request{})
		defer c.subscription.Close()
		c.expect("initial")
		s.Fail(feedtest.Refusal(http.StatusForbidden, apierror.UpstreamForbidden))
		c.expectError(apierror.UpstreamForbidden)
	})
}

func TestW12_WhoFallsOffTheHistoryGetsOneLaggedSnapshot(t *testing.T) {
	play(t, 3, func(s *scene) {
		s.Set("a", dialing)
		c := s.watch(watch.Request{Heartbeat: time.Minute})
		defer c.subscription.Close()
		c.expect("initial a(dialing)")
		for i := range 10 { // While the client does not read.
			s.Set("a", []participant.Status{connected, dialing}[i%2])
			s.after(1500 * time.Millisecond)
		}
		c.expect("lagged a(dialing)")
		s.Set("a", connected)
		c.expect("a(dialing>connected)")
	})
}

func TestW12_WhoDoesNotReadHoldsNobodyUp(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Set("a", dialing)
		for range 50 { // They take the snapshot, and read no more.
			blocked := s.watch(watch.Request{})
			blocked.expect("initial a(dialing)")
			s.t.Cleanup(blocked.subscription.Close)
		}
		reading := s.watch(watch.Request{})
		defer reading.subscription.Close()
		reading.expect("initial a(dialing)")
		start := time.Now()
		s.Set("a", connected)
		reading.expect("a(dialing>connected)")
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestW13_CheckpointAtLeastEveryHeartbeat(t *testing.T) {
	for _, heartbeat := range []time.Duration{5 * time.Second, 15 * time.Second, time.Minute} {
		t.Run(heartbeat.String(), func(t *testing.T) {
			play(t, history, func(s *scene) {
				c := s.watch(watch.Request{Heartbeat: heartbeat, Filter: only(held)})
				defer c.subscription.Close()
				c.expect("initial")
				last := time.Now()
				for i := range 20 {
					s.Set("a", []participant.Status{connected, dialing}[i%2]) // The filter hides it.
					c.expect("fresh")
					if gap := time.Since(last); gap > heartbeat {
						t.Errorf("gap %v", gap)
					}
					last = time.Now()
				}
			})
		})
	}
}

func TestW13_ChangesDoNotDelayTheCheckpoint(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Set("a", dialing)
		c := s.watch(watch.Request{Heartbeat: 5 * time.Second})
		defer c.subscription.Close()
		last := time.Now()
		for i := range 60 {
			message, err := c.next()
			if err != nil {
				t.Fatal(err)
			}
			if message.Checkpoint != nil {
				last = time.Now()
			}
			if gap := time.Since(last); gap > 5*time.Second {
				t.Fatalf("gap %v", gap)
			}
			s.Set("a", []participant.Status{connected, dialing}[i%2])
		}
	})
}

func TestW13_SlowReaderGetsCheckpointsOfItsOwnPosition(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Set("a", dialing)
		c := s.watch(watch.Request{Heartbeat: 5 * time.Second})
		defer c.subscription.Close()
		c.expect("initial a(dialing)")
		for i := range 30 { // People come faster than the client reads.
			s.Set(string(rune('b'+i)), dialing)
			s.after(1100 * time.Millisecond)
		}
		message, err := c.next()
		if err != nil || message.Checkpoint == nil {
			t.Fatalf("got %v, %v, want a checkpoint", message, err)
		}
		if counts := *message.Checkpoint.Counts; counts != (watch.Counts{Total: 1, Visible: 1}) {
			t.Errorf("counts: %+v", counts)
		}
		c.expect("+b(dialing)")
	})
}

// The heartbeat of a client that has not reached the head yet may be the first checkpoint
// of its stream.
func TestW10_AFirstHeartbeatCallsAStaleFeedStale(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Set("a", dialing)
		first := s.watch(watch.Request{})
		defer first.subscription.Close()
		first.expect("initial a(dialing)")
		for i := range 3 {
			s.Set("a", []participant.Status{connected, dialing}[i%2])
			s.after(1100 * time.Millisecond)
		}
		s.Fail(feedtest.Outage(apierror.UpstreamTimeout))
		s.after(10 * time.Second)
		slow := s.watch(watch.Request{ResumeToken: first.token, Heartbeat: 5 * time.Second})
		defer slow.subscription.Close()
		slow.held = map[string]participant.Participant{"a": {ID: "a"}}
		slow.expect("a(dialing>connected)")
		s.after(6 * time.Second)
		slow.expect("stale UPSTREAM_TIMEOUT")
		slow.expect("a(connected>dialing)")
		slow.expect("a(dialing>connected)")
		s.Set("a", held)
		s.Fail(nil)
		slow.expect("a(connected>held)") // No second checkpoint before the heartbeat.
		slow.expect("fresh")
	})
}

func TestW13_AClientThatLagsAtEachReadGetsCheckpoints(t *testing.T) {
	play(t, 1, func(s *scene) {
		s.Set("a", dialing)
		c := s.watch(watch.Request{Heartbeat: 5 * time.Second})
		defer c.subscription.Close()
		c.expect("initial a(dialing)")
		for i := range 20 { // The client takes 6.6 s for each message, the log keeps one.
			for j := range 6 {
				s.Set("a", []participant.Status{connected, dialing}[(i*6+j)%2])
				s.after(1100 * time.Millisecond)
			}
			message, err := c.next()
			if err != nil {
				t.Fatal(err)
			}
			if got, want := strings.Fields(words(message))[0], []string{"fresh", "lagged"}[i%2]; got != want {
				t.Errorf("message %d is %q, want %q", i, got, want)
			}
		}
	})
}

func TestW13_CheckpointsLeaveRoomForChangesHoweverSlowTheClient(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Set("a", dialing)
		c := s.watch(watch.Request{Heartbeat: 5 * time.Second})
		defer c.subscription.Close()
		c.expect("initial a(dialing)")
		for i := range 10 { // Each message takes the client longer than a heartbeat.
			s.Set(string(rune('b'+i)), dialing)
			s.after(3500 * time.Millisecond)
			s.Set(string(rune('B'+i)), dialing)
			s.after(3500 * time.Millisecond)
			message, err := c.next()
			if err != nil {
				t.Fatal(err)
			}
			if isCheckpoint := message.Checkpoint != nil; isCheckpoint != (i%2 == 0) {
				t.Errorf("message %d is %q", i, words(message))
			}
		}
	})
}

func TestW14_EqualFiltersShareTheirMessages(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Set("a", dialing)
		first := s.watch(watch.Request{Filter: participant.NewFilter([]participant.Status{dialing, connected}, nil, nil)})
		defer first.subscription.Close()
		second := s.watch(watch.Request{Filter: participant.NewFilter([]participant.Status{connected, dialing, dialing}, nil, nil)})
		defer second.subscription.Close()
		for range 3 {
			a, errA := first.next()
			b, errB := second.next()
			if errA != nil || errB != nil || a != b {
				t.Fatalf("not the same message: %p, %p (%v, %v)", a, b, errA, errB)
			}
			s.Set("a", connected)
		}
	})
}

// TestW14_AResumeStormEncodesEachBatchOnce has 300 clients come back for 484 batches, one
// after the other, so that each asks for the oldest when the last has had the newest.
func TestW14_AResumeStormEncodesEachBatchOnce(t *testing.T) {
	play(t, history, func(s *scene) {
		const batches, clients = 484, 300
		s.Set("a", dialing)
		keeper := s.watch(watch.Request{Heartbeat: time.Minute})
		defer keeper.subscription.Close()
		keeper.expect("initial a(dialing)")
		start := keeper.token
		keeper.flip(s, batches)
		type form struct {
			token  string
			format watch.Format
		}
		encoded := map[form]int{}
		for range clients {
			c := s.watch(watch.Request{ResumeToken: start, Heartbeat: time.Minute})
			for range batches {
				m, err := c.subscription.Next(t.Context())
				if err != nil || m.Changes == nil {
					t.Fatalf("got %v, %v, want changes", m, err)
				}
				for _, format := range []watch.Format{watch.Proto, watch.SSE} {
					if _, err := m.Encoding(format, func(m *watch.Message) ([]byte, error) {
						encoded[form{m.Token, format}]++
						return make([]byte, 1000), nil
					}); err != nil {
						t.Fatal(err)
					}
				}
			}
			c.subscription.Close()
		}
		if len(encoded) != 2*batches {
			t.Errorf("%d encodings, want %d", len(encoded), 2*batches)
		}
		for _, times := range encoded {
			if times != 1 {
				t.Fatalf("a batch was encoded %d times", times)
			}
		}
	})
}

func TestW14_WhoResumeTogetherShareWhatIsReplayed(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Set("a", dialing)
		first := s.watch(watch.Request{})
		first.expect("initial a(dialing)")
		first.subscription.Close()
		keeper := s.watch(watch.Request{})
		defer keeper.subscription.Close()
		for i := range 100 { // More than are kept for those who follow live.
			s.Set("a", []participant.Status{"ringing", dialing}[i%2])
			s.after(1500 * time.Millisecond)
		}
		again, too := s.watch(watch.Request{ResumeToken: first.token}), s.watch(watch.Request{ResumeToken: first.token})
		defer again.subscription.Close()
		defer too.subscription.Close()
		again.held, too.held = map[string]participant.Participant{"a": {}}, map[string]participant.Participant{"a": {}}
		for range 90 {
			a, errA := again.next()
			b, errB := too.next()
			if errA != nil || errB != nil || a != b {
				t.Fatalf("not the same message: %p, %p (%v, %v)", a, b, errA, errB)
			}
		}
	})
}

func TestW17_ChangesAcrossTheFilter(t *testing.T) {
	play(t, history, func(s *scene) {
		s.Set("a", dialing)
		s.Set("b", connected)
		c := s.watch(watch.Request{Filter: only(connected, held)})
		defer c.subscription.Close()
		c.expect("initial b(connected)")
		s.Set("a", connected)
		c.expect("+a(dialing>connected)")
		s.Set("a", held)
		c.expect("a(connected>held)")
		s.Set("a", disconnected)
		c.expect("~a(held>disconnected)")
		s.Remove("a") // Not held by this client.
		s.Remove("b")
		c.expect("-b(connected>connected)")
	})
}

func TestW17_IdsNeedNotExistYet(t *testing.T) {
	play(t, history, func(s *scene) {
		c := s.watch(watch.Request{Filter: participant.NewFilter(nil, nil, []string{"later"})})
		defer c.subscription.Close()
		c.expect("initial")
		s.Set("other", dialing)
		s.Set("later", dialing)
		c.expect("+later(dialing)")
	})
}

func TestSubscription_EndsWithItsContext(t *testing.T) {
	play(t, history, func(s *scene) {
		c := s.watch(watch.Request{})
		defer c.subscription.Close()
		c.expect("initial")
		cause := errors.New("drained")
		ctx, cancel := context.WithCancelCause(s.t.Context())
		go func() {
			time.Sleep(time.Second)
			cancel(cause)
		}()
		if _, err := c.subscription.Next(ctx); !errors.Is(err, cause) {
			t.Errorf("got %v", err)
		}
	})
}

func TestWatcher_ClosedSubscriptionsLeaveNothing(t *testing.T) {
	play(t, history, func(s *scene) {
		for range 100 {
			c := s.watch(watch.Request{})
			c.expect("initial")
			c.subscription.Close()
		}
		synctest.Wait()
		if got := s.watcher.Subscribers(); got != 0 {
			t.Errorf("subscribers: %d", got)
		}
	})
}

func FuzzToken(f *testing.F) {
	f.Add("pgw1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABY29uZg")
	f.Add("pgw2.x")
	f.Add("nonsense")
	f.Fuzz(func(t *testing.T, text string) {
		play(t, history, func(s *scene) {
			subscription, err := s.watcher.Subscribe(watch.Request{Account: s.Upstream, Conference: "conf", ResumeToken: text, Heartbeat: time.Minute})
			if err != nil {
				if apierror.ReasonOf(err) != apierror.InvalidResumeToken {
					t.Errorf("%q: %v", text, err)
				}
				return
			}
			defer subscription.Close()
			message, err := subscription.Next(s.t.Context())
			if err != nil || message.Snapshot == nil {
				t.Errorf("%q: got %v, %v, want a snapshot", text, message, err)
			}
		})
	})
}
