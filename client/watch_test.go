package client

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// line describes a state in a line: `snapshot a b`, with `stale REASON` unless it is fresh.
func line(s State) string {
	words := append([]string{s.Kind.String()}, slices.Sorted(maps.Keys(s.Roster))...)
	if !s.Fresh {
		words = append(words, "stale", s.StaleReason)
	}
	if s.Err != nil {
		words = append(words, s.Err.Code.String(), s.Err.Reason)
	}
	return strings.TrimSpace(strings.Join(words, " "))
}

// watch returns the lines of a whole iteration, and its error.
func watch(t *testing.T, c *Client, options ...WatchOption) (lines []string, err error) {
	t.Helper()
	for state, failed := range c.Watch(t.Context(), "conf", options...) {
		if failed != nil {
			return lines, failed
		}
		lines = append(lines, line(state))
	}
	return lines, nil
}

// states compares a whole iteration that ends with KindEnd.
func states(t *testing.T, c *Client, want []string, options ...WatchOption) {
	t.Helper()
	got, err := watch(t, c, options...)
	if err != nil {
		t.Errorf("the iteration ended with %v", err)
	}
	equal(t, "states", got, want)
}

func TestWatchAppliesMessages(t *testing.T) {
	for _, test := range []struct {
		name     string
		messages []*v2.WatchParticipantsResponse
		want     []string
	}{
		{"a snapshot", messages(snapshot("1", "a", "b")), []string{"snapshot a b", "end a b"}},
		{"added", messages(snapshot("1"), added("2", "a")), []string{"snapshot", "changes a", "end a"}},
		{"updated", messages(snapshot("1", "a"), change("2", v2.ChangeKind_CHANGE_KIND_UPDATED, "a")), []string{"snapshot a", "changes a", "end a"}},
		{"removed", messages(snapshot("1", "a", "b"), change("2", v2.ChangeKind_CHANGE_KIND_REMOVED, "a")), []string{"snapshot a b", "changes b", "end b"}},
		{"left the filter", messages(snapshot("1", "a"), change("2", v2.ChangeKind_CHANGE_KIND_LEFT_FILTER, "a")), []string{"snapshot a", "changes", "end"}},
		{"a later snapshot replaces", messages(snapshot("1", "a"), snapshot("2", "b")), []string{"snapshot a", "snapshot b", "end b"}},
		{"heartbeats say nothing new", messages(snapshot("1", "a"), fresh("1"), fresh("1")), []string{"snapshot a", "end a"}},
		{
			"freshness", messages(snapshot("1"), stale("1", "X"), stale("1", "X"), stale("1", "Y"), fresh("1")),
			[]string{"snapshot", "freshness stale X", "freshness stale Y", "freshness", "end"},
		},
		{
			"stale until a checkpoint says otherwise", messages(stale("", "X"), snapshot("1", "a"), added("2", "b"), fresh("2")),
			[]string{"freshness stale X", "snapshot a stale X", "changes a b stale X", "freshness a b", "end a b"},
		},
		{
			"a first checkpoint without a reason", messages(checkpoint("", &v2.Checkpoint{Freshness: v2.Freshness_FRESHNESS_STALE})),
			[]string{"freshness stale", "end stale"},
		},
		{
			"values of a newer gateway",
			messages(
				snapshot("1"), &v2.WatchParticipantsResponse{ResumeToken: "2"}, change("3", 99, "a"),
				checkpoint("3", &v2.Checkpoint{Freshness: 99}),
			),
			[]string{"snapshot", "changes a", "freshness a stale", "end a stale"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &gateway{watches: []watchCall{{messages: append(test.messages, end("9"))}}}
				states(t, g.serve(t), test.want)
			})
		})
	}
}

func TestWatchStateHasWhatTheGatewayReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{watches: []watchCall{{messages: messages(
			snapshot("1", "a"), added("2", "b"),
			checkpoint("3", &v2.Checkpoint{Freshness: v2.Freshness_FRESHNESS_STALE, Total: new(int32(7)), Active: new(int32(3))}),
			end("4"),
		)}}}
		var all []State
		for state, err := range g.serve(t).Watch(t.Context(), "conf") {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, state)
		}
		if s := all[0]; s.SnapshotReason != v2.SnapshotReason_SNAPSHOT_REASON_INITIAL || *s.Total != 1 || s.Active != nil || s.Token != "1" {
			t.Errorf("snapshot: %+v", s)
		}
		if s := all[1]; len(s.Changes) != 1 || s.Changes[0].GetParticipant() != s.Roster["b"] || s.Token != "2" {
			t.Errorf("changes: %+v", s)
		}
		if s := all[2]; *s.Total != 7 || *s.Active != 3 || s.Token != "3" {
			t.Errorf("freshness: %+v", s)
		}
		if s := all[3]; s.EndReason != v2.WatchEndReason_WATCH_END_REASON_CONFERENCE_GONE || s.Token != "4" {
			t.Errorf("end: %+v", s)
		}
		if len(all[0].Roster) != 1 {
			t.Errorf("a later state changed the first: %v", all[0].Roster)
		}
	})
}

func TestWatchSendsItsOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{watches: []watchCall{{messages: messages(end("1"))}, {messages: messages(end("1"))}}}
		c := g.serve(t)
		states(t, c, []string{"end"})
		states(t, c, []string{"end"}, Heartbeat(20*time.Second), ParticipantIDs("a", "b"),
			Statuses(v2.ParticipantStatus_PARTICIPANT_STATUS_HELD), Roles(v2.ParticipantRole_PARTICIPANT_ROLE_LISTENER))
		if r := g.watchRequests[0]; r.GetConferenceId() != "conf" || r.GetHeartbeatInterval().AsDuration() != 15*time.Second {
			t.Errorf("without options: %v", r)
		}
		r := g.watchRequests[1]
		equal(t, "ids", r.GetParticipantIds(), []string{"a", "b"})
		equal(t, "statuses", r.GetStatuses(), []v2.ParticipantStatus{v2.ParticipantStatus_PARTICIPANT_STATUS_HELD})
		equal(t, "roles", r.GetRoles(), []v2.ParticipantRole{v2.ParticipantRole_PARTICIPANT_ROLE_LISTENER})
		if r.GetHeartbeatInterval().AsDuration() != 20*time.Second {
			t.Errorf("heartbeat: %v", r)
		}
	})
}

func TestWatchResumesAfterABreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{watches: []watchCall{
			{messages: messages(snapshot("one", "a"), stale("one", "X"), fresh("one")), err: failure(codes.Unavailable, "DRAINING", retryInfo(2*time.Second))},
			{err: status.Error(codes.Unavailable, "refused")},
			{err: status.Error(codes.Internal, "refused")},
			{messages: messages(fresh("one"), added("two", "b"))},
			{messages: messages(added("three", "c"), end("four"))},
		}}
		states(t, g.serve(t), []string{
			"snapshot a", "freshness a stale X", "freshness a", "disconnected a stale DISCONNECTED Unavailable DRAINING",
			"freshness a", "changes a b", "disconnected a b stale DISCONNECTED Unavailable STREAM_ENDED",
			"changes a b c", "end a b c",
		})
		equal(t, "tokens", g.tokens(), []string{"", "one", "one", "one", "two"})
		for n, least := range map[int]time.Duration{1: 2 * time.Second, 2: 500 * time.Millisecond, 3: time.Second, 4: 250 * time.Millisecond} {
			if waited := g.wait(n); waited < least || waited > least+least/4 {
				t.Errorf("waited %v after call %d, want %v", waited, n, least)
			}
		}
	})
}

func TestWatchResumesStaleWhatWasStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{watches: []watchCall{
			{messages: messages(snapshot("1", "a"), stale("1", "X"))},
			{messages: messages(added("2", "b"), end("3"))},
		}}
		states(t, g.serve(t), []string{
			"snapshot a", "freshness a stale X", "disconnected a stale DISCONNECTED Unavailable STREAM_ENDED",
			"changes a b stale X", "end a b stale X",
		})
	})
}

func TestWatchBeginsDisconnectedIfTheFirstCallFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{watches: []watchCall{{messages: messages(snapshot("1", "a"), end("2"))}}}
		g.refused.Store(true)
		c := g.serve(t)
		var back time.Time
		time.AfterFunc(10*time.Minute, func() { back = time.Now(); g.refused.Store(false) })
		states(t, c, []string{"disconnected stale DISCONNECTED Unavailable", "snapshot a", "end a"})
		if took := g.times[0].Sub(back); took < 0 || took > 20*time.Second {
			t.Errorf("connected %v after the network came back", took)
		}
	})
}

func TestWatchBeginsAnewIfTheRosterHasAnotherSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{watches: []watchCall{
			{messages: messages(snapshot("1", "a"), checkpoint("1", &v2.Checkpoint{Freshness: v2.Freshness_FRESHNESS_FRESH, ParticipantCount: new(int32(2))})), silent: true},
			{messages: messages(snapshot("2", "a", "b"), checkpoint("2", &v2.Checkpoint{Freshness: v2.Freshness_FRESHNESS_FRESH, ParticipantCount: new(int32(2))}), end("3"))},
		}}
		states(t, g.serve(t), []string{"snapshot a", "disconnected a stale DISCONNECTED DataLoss ROSTER_MISMATCH", "snapshot a b", "end a b"})
		equal(t, "tokens", g.tokens(), []string{"", ""})
	})
}

func TestWatchEndsWithAFinalError(t *testing.T) {
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		final := slices.Contains([]codes.Code{
			codes.InvalidArgument, codes.NotFound, codes.PermissionDenied, codes.Unauthenticated,
			codes.FailedPrecondition, codes.Unimplemented, codes.OutOfRange, codes.AlreadyExists,
		}, code)
		t.Run(code.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &gateway{watches: []watchCall{{err: failure(code, "WHY")}, {messages: messages(end("1"))}}}
				_, err := watch(t, g.serve(t))
				var own *Error
				if !final && err != nil || final && (!errors.As(err, &own) || own.Code != code || own.Reason != "WHY") {
					t.Errorf("the iteration ended with %v", err)
				}
				if len(g.tokens()) != map[bool]int{true: 1, false: 2}[final] {
					t.Errorf("%d calls", len(g.tokens()))
				}
			})
		})
	}
}

func TestWatchGoesOnWithANewCredential(t *testing.T) {
	expired := failure(codes.Unauthenticated, "CREDENTIAL_EXPIRED")
	for _, test := range []struct {
		name    string
		option  Option
		watches []watchCall
		want    []string
	}{
		{"a message came before", nextCredential("a", "b"), []watchCall{{messages: messages(snapshot("1")), err: expired}, {messages: messages(end("2"))}}, []string{"Bearer a", "Bearer b"}},
		{"no message came before", nextCredential("a", "b"), []watchCall{{err: expired}}, []string{"Bearer a"}},
		{"the second is refused", nextCredential("a", "b", "c"), []watchCall{{messages: messages(snapshot("1")), err: expired}, {err: expired}}, []string{"Bearer a", "Bearer b"}},
		{"a key cannot be renewed", WithKey("k"), []watchCall{{messages: messages(snapshot("1")), err: expired}}, []string{"Bearer k"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &gateway{watches: test.watches}
				_, err := watch(t, g.serve(t, test.option))
				if ended := len(test.watches[len(test.watches)-1].messages) > 0 && test.watches[len(test.watches)-1].err == nil; ended != (err == nil) {
					t.Errorf("the iteration ended with %v", err)
				}
				equal(t, "credentials", g.authorizations, test.want)
			})
		})
	}
}

// nextCredential returns another credential at each call.
func nextCredential(credentials ...string) Option {
	n := 0
	return WithCredential(func(context.Context) (string, error) {
		n++
		return credentials[n-1], nil
	})
}

func TestWatchReplacesASilentConnection(t *testing.T) {
	for _, test := range []struct {
		name  string
		first watchCall
		want  []string
	}{
		{"after a message", watchCall{messages: messages(snapshot("1", "a")), silent: true}, []string{"snapshot a", "disconnected a stale DISCONNECTED Unavailable SILENT", "changes a b", "end a b"}},
		{"from the start", watchCall{silent: true}, []string{"disconnected stale DISCONNECTED Unavailable SILENT", "changes b", "end b"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &gateway{watches: []watchCall{test.first, {messages: messages(added("2", "b"), end("3"))}}}
				states(t, g.serve(t), test.want)
				if waited := g.wait(1); waited < 30*time.Second || waited > 31*time.Second {
					t.Errorf("called again after %v", waited)
				}
				if dials := g.dials.Load(); dials != 2 {
					t.Errorf("%d connections", dials)
				}
			})
		})
	}
}

func TestWatchNoticesADeadNetwork(t *testing.T) {
	for _, test := range []struct {
		heartbeat time.Duration
		reason    string
		limit     time.Duration
	}{
		{5 * time.Second, ReasonSilent, 11 * time.Second}, // Two heartbeats.
		{time.Minute, "", 17 * time.Second},               // The keepalive ping.
	} {
		t.Run(test.heartbeat.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &gateway{watches: []watchCall{{messages: messages(snapshot("1")), silent: true}, {messages: messages(end("2"))}}}
				c := g.serve(t)
				var broke *Error
				for state, err := range c.Watch(t.Context(), "conf", Heartbeat(test.heartbeat)) {
					if err != nil {
						t.Fatal(err)
					}
					switch state.Kind {
					case KindSnapshot:
						g.stalled.Store(1)
					case KindDisconnected:
						broke = state.Err
					default:
					}
				}
				if broke == nil || broke.Reason != test.reason {
					t.Errorf("broke: %v", broke)
				}
				if waited := g.wait(1); waited > test.limit {
					t.Errorf("called again after %v", waited)
				}
			})
		})
	}
}

// The other watches of a connection notice by themselves; a call that works is not ended.
func TestWatchReplacesTheConnectionOfLaterCallsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{watches: []watchCall{{messages: messages(snapshot("1")), silent: true}, {messages: messages(snapshot("1")), silent: true}, {messages: messages(end("2"))}}}
		c := g.serve(t)
		ctx, cancel := context.WithCancel(t.Context())
		other, err := c.Service().WatchParticipants(ctx, &v2.WatchParticipantsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Recv(); err != nil {
			t.Fatal(err)
		}
		states(t, c, []string{"snapshot", "disconnected stale DISCONNECTED Unavailable SILENT", "end"})
		if open := c.connections(); open != 2 {
			t.Errorf("%d connections are open", open)
		}
		if err := other.Context().Err(); err != nil {
			t.Errorf("the other stream ended: %v", err)
		}
		cancel()
		synctest.Wait()
		if open := c.connections(); open != 1 {
			t.Errorf("%d connections are open after the last call of the old one", open)
		}
	})
}

func (c *Client) connections() int {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return len(c.link.open)
}

func TestWatchesReplaceTheirConnectionOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{watches: []watchCall{{silent: true}, {silent: true}, {messages: messages(end("1"))}, {messages: messages(end("1"))}}}
		c := g.serve(t)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { states(t, c, []string{"disconnected stale DISCONNECTED Unavailable SILENT", "end"}) })
			time.Sleep(time.Second) // So that the first is connected again when the second notices.
		}
		both.Wait()
		if dials := g.dials.Load(); dials != 2 {
			t.Errorf("%d connections", dials)
		}
	})
}

func TestWatchWaitsForASlowLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{watches: []watchCall{{messages: messages(snapshot("1"), added("2", "a"), end("3")), pause: time.Hour + 10*time.Second}}}
		for _, err := range g.serve(t).Watch(t.Context(), "conf") {
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
		}
		if len(g.tokens()) != 1 {
			t.Errorf("%d calls", len(g.tokens()))
		}
	})
}

// The bubble of each test deadlocks if a goroutine remains.
func TestWatchEndsWithItsCaller(t *testing.T) {
	for _, test := range []struct {
		name   string
		server watchCall
		end    func(c *Client, cancel context.CancelFunc)
	}{
		{"cancel while it receives", watchCall{messages: messages(snapshot("1")), silent: true}, func(_ *Client, cancel context.CancelFunc) { cancel() }},
		{"close while it receives", watchCall{messages: messages(snapshot("1")), silent: true}, func(c *Client, _ context.CancelFunc) { _ = c.Close() }},
		{"cancel while it waits", watchCall{messages: messages(snapshot("1")), err: failure(codes.Unavailable, "X", retryInfo(time.Hour))}, func(_ *Client, cancel context.CancelFunc) { cancel() }},
		{"close while it waits", watchCall{messages: messages(snapshot("1")), err: failure(codes.Unavailable, "X", retryInfo(time.Hour))}, func(c *Client, _ context.CancelFunc) { _ = c.Close() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &gateway{watches: []watchCall{test.server}}
				c := g.serve(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				begun := time.Now()
				time.AfterFunc(time.Second, func() { test.end(c, cancel) })
				for _, err := range c.Watch(ctx, "conf") {
					if err != nil {
						t.Errorf("the iteration ended with %v", err)
					}
				}
				if took := time.Since(begun); took != time.Second {
					t.Errorf("ended after %v", took)
				}
			})
		})
	}
}

func TestWatchCancelsItsCallWhenTheLoopBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{watches: []watchCall{{messages: messages(snapshot("1")), silent: true}, {messages: messages(snapshot("1")), err: status.Error(codes.Unavailable, "")}}}
		c := g.serve(t)
		for range c.Watch(t.Context(), "conf") {
			break
		}
		for state := range c.Watch(t.Context(), "conf") {
			if state.Kind == KindDisconnected {
				break
			}
		}
		synctest.Wait()
		if calls := c.link.current.calls; calls != 0 {
			t.Errorf("%d calls are open", calls)
		}
		if got := len(g.tokens()); got != 2 {
			t.Errorf("%d calls", got)
		}
	})
}

func TestWatchOfAClosedClientIsEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := (&gateway{}).serve(t)
		_ = c.Close()
		states(t, c, nil)
		_, err := c.Service().ListParticipants(t.Context(), &v2.ListParticipantsRequest{})
		if own, ok := AsError(err); !ok || own.Code != codes.Canceled {
			t.Errorf("list: %v", err)
		}
	})
}

func TestWatchResumesFromAState(t *testing.T) {
	roster := map[string]*v2.Participant{"a": {Id: "a"}}
	for _, test := range []struct {
		name  string
		from  State
		calls []*v2.WatchParticipantsResponse
		want  []string
	}{
		{"missed changes", State{Token: "1", Roster: roster}, messages(added("2", "b"), end("3")), []string{"changes a b", "end a b"}},
		{"nothing missed", State{Token: "1", Roster: roster, Fresh: true}, messages(fresh("1"), end("3")), []string{"freshness a", "end a"}},
		{"stale before", State{Token: "1", Roster: roster, StaleReason: "X"}, messages(added("2", "b"), end("3")), []string{"changes a b stale X", "end a b stale X"}},
		{"disconnected before", State{Token: "1", Roster: roster, StaleReason: StaleDisconnected}, messages(added("2", "b"), end("3")), []string{"changes a b", "end a b"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &gateway{watches: []watchCall{{messages: test.calls}}}
				states(t, g.serve(t), test.want, ResumeFrom(test.from))
				equal(t, "tokens", g.tokens(), []string{"1"})
				if len(roster) != 1 {
					t.Errorf("the caller's roster changed: %v", roster)
				}
			})
		})
	}
}

func TestKindNames(t *testing.T) {
	for kind, want := range map[Kind]string{
		KindSnapshot: "snapshot", KindChanges: "changes", KindFreshness: "freshness",
		KindDisconnected: "disconnected", KindEnd: "end", 9: "kind 9",
	} {
		if got := kind.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestDelayGrowsUpToALimit(t *testing.T) {
	var r retrier
	for failures := range 70 {
		wait, again := r.next(&Error{Code: codes.Unavailable}, false)
		least := min(firstDelay<<min(failures, 10), longestDelay)
		if !again || wait < least || wait > least+least/4 {
			t.Errorf("after %d failures: %v, %t", failures, wait, again)
		}
	}
	if wait, _ := r.next(&Error{Code: codes.Unavailable}, true); wait > 2*firstDelay {
		t.Errorf("after a message: %v", wait)
	}
}
