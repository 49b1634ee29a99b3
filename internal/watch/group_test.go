package watch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

// groupClient is a client of a group, with an upstream for each conference.
type groupClient struct {
	t         *testing.T
	upstreams map[string]*feedtest.Upstream
	tokens    map[string]string
	group     *watch.Group
}

// newGroupClient has the conferences c0, c1, …, each with the participant a, who is dialing.
func newGroupClient(h *harness, conferences int) *groupClient {
	c := &groupClient{t: h.t, upstreams: map[string]*feedtest.Upstream{}, tokens: map[string]string{}}
	for i := range conferences {
		upstream := feedtest.New()
		upstream.Set("a", dialing)
		c.upstreams[fmt.Sprintf("c%d", i)] = upstream
	}
	return c
}

// open opens a stream of all conferences with their last tokens.
func (c *groupClient) open(h *harness, allowed map[string]context.Context) {
	var requests []watch.GroupRequest
	for i := range len(c.upstreams) {
		name := fmt.Sprintf("c%d", i)
		request := watch.GroupRequest{Allowed: h.t.Context(), Request: watch.Request{
			Account: c.upstreams[name], Conference: name, ResumeToken: c.tokens[name], Heartbeat: 15 * time.Second,
		}}
		if allowed[name] != nil {
			request.Allowed = allowed[name]
		}
		requests = append(requests, request)
	}
	c.group = h.watcher.SubscribeAll(requests)
}

// read reads for some time. It returns what came for each conference, without heartbeats.
func (c *groupClient) read(d time.Duration) map[string]string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), d)
	defer cancel()
	received := map[string][]string{}
	for {
		event, err := c.group.Next(ctx)
		if err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				c.t.Errorf("next: %v", err)
			}
			break
		}
		if text := c.describe(event); text != "fresh" {
			received[event.Conference] = append(received[event.Conference], text)
		}
	}
	joined := map[string]string{}
	for name, texts := range received {
		joined[name] = strings.Join(texts, ", ")
	}
	return joined
}

func (c *groupClient) describe(event watch.Event) string {
	if event.Err != nil {
		return string(apierror.ReasonOf(event.Err))
	}
	c.tokens[event.Conference] = event.Message.Token
	return describe(event.Message)
}

func (c *groupClient) expect(received, want map[string]string) {
	c.t.Helper()
	for i := range len(c.upstreams) {
		name := fmt.Sprintf("c%d", i)
		if received[name] != want[name] {
			c.t.Errorf("%s: got %q, want %q", name, received[name], want[name])
		}
	}
}

func TestA16_ConferencesDoNotNoticeEachOther(t *testing.T) {
	const kept = 4
	run(t, kept, func(h *harness) {
		c := newGroupClient(h, 10)
		c.tokens["c3"] = "mine"
		c.upstreams["c9"].Fail(&apierror.Error{Reason: apierror.UpstreamUnreachable})
		c.upstreams["c2"].Fail(feedtest.Refusal(http.StatusForbidden, apierror.UpstreamForbidden))
		allowed, withdraw := context.WithCancelCause(h.t.Context())
		c.open(h, map[string]context.Context{"c5": allowed})
		defer c.group.Close()
		want := map[string]string{"c2": "UPSTREAM_FORBIDDEN", "c3": "INVALID_RESUME_TOKEN", "c9": "stale UPSTREAM_UNREACHABLE"}
		for _, name := range []string{"c0", "c1", "c4", "c5", "c6", "c7", "c8"} {
			want[name] = "initial a(dialing)"
		}
		c.expect(c.read(6*time.Second), want)
		if got := h.watcher.Subscribers(); got != 8 {
			t.Errorf("%d subscribers, want those of the 8 open conferences", got)
		}

		c.upstreams["c1"].Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
		withdraw(&apierror.Error{Reason: apierror.ConferenceNotGranted})
		c.expect(c.read(5*time.Second), map[string]string{"c1": "end", "c5": "CONFERENCE_NOT_GRANTED"})

		for i := range kept + 2 { // Meanwhile the client reads nothing.
			c.upstreams["c4"].Set(fmt.Sprint("b", i), dialing)
			h.advance(1100 * time.Millisecond)
		}
		c.upstreams["c6"].Set("a", connected)
		h.advance(1100 * time.Millisecond)
		c.expect(c.read(time.Millisecond), map[string]string{
			"c4": "lagged a(dialing) b0(dialing) b1(dialing) b2(dialing) b3(dialing) b4(dialing) b5(dialing)",
			"c6": "a(dialing>connected)",
		})
	})
}

func TestA16_EachConferenceResumesByItsToken(t *testing.T) {
	run(t, history, func(h *harness) {
		c := newGroupClient(h, 3)
		c.open(h, nil)
		c.read(2 * time.Second)
		c.group.Close()
		if got := h.watcher.Subscribers(); got != 0 {
			t.Errorf("%d subscribers after the end", got)
		}
		c.upstreams["c0"].Set("a", connected)
		h.advance(1100 * time.Millisecond)
		c.upstreams["c0"].Remove("a")
		h.advance(6 * time.Second)
		c.tokens["c2"] = c.tokens["c1"]
		c.open(h, nil)
		defer c.group.Close()
		c.expect(c.read(time.Second), map[string]string{
			"c0": "a(dialing>connected), -a(connected>connected)", "c1": "", "c2": "expired a(dialing)",
		})
	})
}

func TestA16_TokensOfAnEarlierLogExpireForEachConference(t *testing.T) {
	run(t, history, func(h *harness) {
		c := newGroupClient(h, 2)
		c.open(h, nil)
		c.read(2 * time.Second)
		c.group.Close()
		h.advance(2 * time.Minute) // The feeds have ended.
		c.open(h, nil)
		defer c.group.Close()
		c.expect(c.read(time.Second), map[string]string{"c0": "expired a(dialing)", "c1": "expired a(dialing)"})
	})
}

func TestA16_ConferencesTakeTurnsMessageByMessage(t *testing.T) {
	run(t, history, func(h *harness) {
		c := newGroupClient(h, 3)
		c.open(h, nil)
		defer c.group.Close()
		c.read(2 * time.Second)
		for i := range 3 {
			for _, upstream := range c.upstreams {
				upstream.Set(fmt.Sprint("b", i), dialing)
			}
			h.advance(1100 * time.Millisecond)
		}
		var order []string
		for range 9 {
			event, err := c.group.Next(h.t.Context())
			if err != nil || event.Message.Changes == nil {
				t.Fatalf("got %v, %v", event, err)
			}
			order = append(order, event.Conference)
		}
		for turn := range slices.Chunk(order, 3) {
			slices.Sort(turn)
			if !slices.Equal(turn, []string{"c0", "c1", "c2"}) {
				t.Errorf("a turn served %v", turn)
			}
		}
	})
}

func TestA16_EveryConferenceHasItsHeartbeats(t *testing.T) {
	run(t, history, func(h *harness) {
		c := newGroupClient(h, 3)
		c.open(h, nil)
		defer c.group.Close()
		beats := map[string]int{}
		ctx, cancel := context.WithTimeout(h.t.Context(), 61*time.Second)
		defer cancel()
		for {
			event, err := c.group.Next(ctx)
			if err != nil {
				break
			}
			if event.Message.Checkpoint != nil {
				beats[event.Conference]++
			}
		}
		for name := range c.upstreams {
			if beats[name] != 4 {
				t.Errorf("%s: %d heartbeats in 61 s, want 4", name, beats[name])
			}
		}
	})
}

func TestA16_TheStreamEndsWhenAllConferencesHaveEnded(t *testing.T) {
	run(t, history, func(h *harness) {
		c := newGroupClient(h, 2)
		c.tokens["c1"] = "mine"
		c.open(h, nil)
		defer c.group.Close()
		c.read(time.Second)
		c.upstreams["c0"].Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
		event, err := c.group.Next(h.t.Context())
		if err != nil || event.Message.End == nil {
			t.Errorf("got %v, %v, want the end", event, err)
		}
		ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
		defer cancel()
		if event, err := c.group.Next(ctx); !errors.Is(err, io.EOF) {
			t.Errorf("got %v, %v, want io.EOF", event, err)
		}
	})
}

func TestA16_TheEndOfTheCallEndsTheGroup(t *testing.T) {
	run(t, history, func(h *harness) {
		c := newGroupClient(h, 2)
		c.open(h, nil)
		c.read(time.Second)
		cause := errors.New("drain")
		ctx, cancel := context.WithCancelCause(h.t.Context())
		cancel(cause)
		if _, err := c.group.Next(ctx); !errors.Is(err, cause) {
			t.Errorf("got %v", err)
		}
		c.group.Close()
		c.group.Close()
		synctest.Wait()
	})
}

func TestA16_AReplicaAsksTheLogForEachConference(t *testing.T) {
	runReplicas(t, func(_ *feedtest.Store, a, b *replica) {
		a.Set("a", dialing)
		c := a.watch(watch.Request{})
		c.expect("initial a(dialing)")
		b.access.DelayMessages(time.Second)
		follower := b.watch(watch.Request{})
		follower.expect("initial a(dialing)")
		a.Set("b", dialing)
		c.expect("+b(dialing)")
		c.subscription.Close()
		group := b.watcher.SubscribeAll([]watch.GroupRequest{{Allowed: b.t.Context(), Request: watch.Request{
			Account: b.Upstream, Conference: "conf", ResumeToken: c.token, Heartbeat: 15 * time.Second,
		}}})
		defer group.Close()
		ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
		defer cancel()
		event, err := group.Next(ctx)
		if err != nil || describe(event.Message) != "fresh" {
			t.Errorf("got %v, %v, want a checkpoint: nothing was missed", event, err)
		}
		follower.subscription.Close()
	})
}

// TestA16_ABusyConferenceDoesNotStarveAQuietOne has a client that reads as fast as one conference
// changes: the message of the other comes after one more of the first.
func TestA16_ABusyConferenceDoesNotStarveAQuietOne(t *testing.T) {
	run(t, history, func(h *harness) {
		c := newGroupClient(h, 2)
		c.open(h, nil)
		defer c.group.Close()
		c.read(2 * time.Second)
		for i := range 20 {
			c.upstreams["c0"].Set(fmt.Sprint("b", i), dialing)
			h.advance(1100 * time.Millisecond)
			if i == 10 {
				c.upstreams["c1"].Set("a", connected)
			}
		}
		for turn := range 2 {
			event, err := c.group.Next(h.t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if event.Conference == "c1" {
				return
			}
			t.Logf("turn %d: %s", turn, event.Conference)
		}
		t.Error("the quiet conference has no turn among the first two messages")
	})
}

func TestA16_TooManyFiltersRefuseTheirConferenceAlone(t *testing.T) {
	run(t, history, func(h *harness) {
		c := newGroupClient(h, 2)
		var subscriptions []*watch.Subscription
		defer func() {
			for _, subscription := range subscriptions {
				subscription.Close()
			}
		}()
		for i := range 64 {
			subscription, err := h.watcher.Subscribe(t.Context(), watch.Request{
				Account: c.upstreams["c0"], Conference: "c0", Heartbeat: 15 * time.Second,
				Filter: participant.Filter{IDs: []string{"a", fmt.Sprint(i)}},
			})
			if err != nil {
				t.Fatal(err)
			}
			subscriptions = append(subscriptions, subscription)
		}
		c.open(h, nil)
		defer c.group.Close()
		c.expect(c.read(time.Second), map[string]string{"c0": "TOO_MANY_FILTERS", "c1": "initial a(dialing)"})
	})
}

// TestA16_ConferencesChangeWhileTheirRightsEnd is for the race detector.
func TestA16_ConferencesChangeWhileTheirRightsEnd(t *testing.T) {
	run(t, history, func(h *harness) {
		c := newGroupClient(h, 10)
		allowed := map[string]context.Context{}
		for i := range 10 {
			until, withdraw := context.WithCancelCause(h.t.Context())
			time.AfterFunc(time.Duration(2+i)*time.Second, func() { withdraw(&apierror.Error{Reason: apierror.ConferenceNotGranted}) })
			allowed[fmt.Sprintf("c%d", i)] = until //nolint:fatcontext // Each conference has its own.
		}
		c.open(h, allowed)
		defer c.group.Close()
		go func() {
			for i := range 100 {
				for _, upstream := range c.upstreams {
					upstream.Set(fmt.Sprint(i), dialing)
				}
				time.Sleep(100 * time.Millisecond)
			}
		}()
		ended := 0
		ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
		defer cancel()
		for {
			event, err := c.group.Next(ctx)
			if err != nil {
				break
			}
			if event.NotAllowed {
				ended++
			}
		}
		if ended != 10 || h.watcher.Subscribers() != 0 {
			t.Errorf("%d conferences ended, %d subscribers", ended, h.watcher.Subscribers())
		}
		h.advance(10 * time.Second)
	})
}
