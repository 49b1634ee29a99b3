package feed_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
)

// replicas are processes with a hub each, one upstream and one store, in virtual time.
type replicas struct {
	*feedtest.Upstream

	t       *testing.T
	store   *feedtest.Store
	options feed.Options
	all     []*replica
}

// replica is one process.
type replica struct {
	*feedtest.Replica

	hub    *feed.Hub
	closed bool
	// ended is closed when the replica ends, for those who observe it.
	ended chan struct{}
}

// runReplicas runs a test with n replicas. The store's clock is ahead.
func runReplicas(t *testing.T, n int, test func(r *replicas)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &replicas{Upstream: feedtest.New(), t: t, store: feedtest.NewStore(time.Minute), options: feed.Options{
			PollInterval: time.Second, MaxPollInterval: 5 * time.Second, Linger: 30 * time.Second, History: 4096,
			Logger: slog.New(slog.DiscardHandler),
		}}
		for range n {
			r.start()
		}
		defer func() {
			for _, replica := range r.all {
				replica.finish()
				replica.close()
			}
		}()
		test(r)
	})
}

// start starts another replica.
func (r *replicas) start() *replica {
	access := r.store.Replica()
	options := r.options
	options.Logs = access
	started := &replica{Replica: access, hub: feed.NewHub(options)}
	r.all = append(r.all, started)
	return started
}

func (r *replica) close() {
	if !r.closed {
		r.closed = true
		r.hub.Close()
	}
}

// kill ends a replica without a word to the others.
func (r *replica) kill() {
	r.SetAway(true)
	r.close()
}

// watch opens a watch of the conference at a replica.
func (r *replicas) watch(at *replica) (watched *feed.Feed, release func()) {
	r.t.Helper()
	watched, release, err := at.hub.Acquire(r.t.Context(), r.Upstream, "conf")
	if err != nil {
		r.t.Fatalf("acquire: %v", err)
	}
	synctest.Wait()
	return watched, release
}

// watchAll opens a watch at each replica, one after the other.
func (r *replicas) watchAll() []*feed.Feed {
	r.t.Helper()
	feeds := make([]*feed.Feed, 0, len(r.all))
	for _, replica := range r.all {
		watched, release := r.watch(replica)
		r.t.Cleanup(release)
		feeds = append(feeds, watched)
	}
	return feeds
}

func (r *replicas) advance(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// nextStart waits until the next list starts.
func (r *replicas) nextStart() {
	n := len(r.Starts())
	for range 6000 {
		if len(r.Starts()) > n {
			return
		}
		r.advance(10 * time.Millisecond)
	}
	r.t.Fatal("no further list")
}

// polling returns the replica that polls.
func (r *replicas) polling() *replica {
	r.t.Helper()
	i := slices.IndexFunc(r.all, func(r *replica) bool { return r.Leads() > 0 })
	if i < 0 {
		r.t.Fatal("nobody polls")
	}
	return r.all[i]
}

// other returns a replica that does not poll.
func (r *replicas) other() *replica {
	polling := r.polling()
	return r.all[slices.IndexFunc(r.all, func(r *replica) bool { return r != polling && !r.closed })]
}

func (r *replicas) feedAt(at *replica, feeds []*feed.Feed) *feed.Feed {
	return feeds[slices.Index(r.all, at)]
}

// pollsWithin returns how many lists began within the last d.
func (r *replicas) pollsWithin(d time.Duration) int {
	count := 0
	for _, start := range r.Starts() {
		if time.Since(start) < d {
			count++
		}
	}
	return count
}

// write makes a write through a replica succeed.
func (r *replica) write(kind participant.WriteKind, id string, status participant.Status) {
	r.hub.Begin(context.Background(), key()).Done(participant.Write{Kind: kind, Item: participant.Item{
		Participant: participant.Participant{ID: id, Status: status}, Fields: participant.AllFields,
	}})
	synctest.Wait()
}

// mustEqual fails the test unless all feeds are known, fresh, and show the same at the same
// position.
func (r *replicas) mustEqual(feeds []*feed.Feed) *feed.State {
	r.t.Helper()
	first := feeds[0].State()
	for i, f := range feeds {
		state := f.State()
		if !state.Known || state.Stale || state.Position != first.Position || fmt.Sprint(people(state)) != fmt.Sprint(people(first)) {
			r.t.Errorf("replica %d: known %v, stale %v (%s), position %v, %v\nreplica 0: %v, %v", i, state.Known, state.Stale, state.StaleReason,
				state.Position, people(state), first.Position, people(first))
		}
	}
	return first
}

// people returns the participants of a state, without their durations.
func people(state *feed.State) []participant.Participant {
	people := state.People.Copy()
	for i := range people {
		people[i].Duration = 0
	}
	return people
}

func TestR01_AllReplicasTogetherReadOneListAnInterval(t *testing.T) {
	runReplicas(t, 3, func(r *replicas) {
		r.Set("a", participant.StatusDialing)
		feeds := r.watchAll()
		r.advance(21 * time.Second)
		if polls := r.pollsWithin(20 * time.Second); polls < 18 || polls > 21 {
			t.Errorf("%d lists in 20 s", polls)
		}
		r.mustEqual(feeds)
		polled := 0
		for _, f := range feeds {
			if f.State().Polled {
				polled++
			}
		}
		if _, open := r.Sources(); polled != 1 || open != 1 {
			t.Errorf("%d replicas poll, %d sources are open", polled, open)
		}
	})
}

func TestR01_PollingStopsAfterTheLastWatcher(t *testing.T) {
	runReplicas(t, 2, func(r *replicas) {
		r.Set("a", participant.StatusDialing)
		_, releaseA := r.watch(r.all[0])
		_, releaseB := r.watch(r.all[1])
		r.advance(5 * time.Second)
		releaseA()
		r.advance(40 * time.Second)
		if polls := r.pollsWithin(10 * time.Second); polls < 8 || polls > 11 {
			t.Errorf("%d lists in 10 s while one replica has a watcher", polls)
		}
		releaseB()
		r.advance(40 * time.Second)
		if polls := r.pollsWithin(9 * time.Second); polls != 0 {
			t.Errorf("%d lists after the last linger", polls)
		}
	})
}

func TestR01_DeadReplicaOfTheLastWatcherEndsThePolls(t *testing.T) {
	runReplicas(t, 2, func(r *replicas) {
		r.Set("a", participant.StatusDialing)
		_, release := r.watch(r.all[0])
		defer release()
		r.advance(5 * time.Second)
		r.all[0].kill()
		r.advance(10 * time.Second)
		if polls := r.pollsWithin(9 * time.Second); polls != 0 {
			t.Errorf("%d lists without a watcher", polls)
		}
	})
}

func TestR02_SameMessagesInTheSameOrderWithTheSamePositions(t *testing.T) {
	runReplicas(t, 3, func(r *replicas) {
		r.Set("a", participant.StatusDialing)
		feeds := r.watchAll()
		r.advance(time.Second)
		start := r.mustEqual(feeds).Position
		for i := range 10 {
			r.Set(fmt.Sprint("p", i), participant.StatusDialing)
			r.all[i%3].write(participant.WriteAdd, fmt.Sprint("w", i), participant.StatusPending)
			r.Set(fmt.Sprint("w", i), participant.StatusConnected)
			r.advance(1100 * time.Millisecond)
		}
		r.mustEqual(feeds)
		want, kept := feeds[0].State().After(start)
		if !kept || len(want) < 20 {
			t.Fatalf("%d entries, kept %v", len(want), kept)
		}
		for i, f := range feeds[1:] {
			got, _ := f.State().After(start)
			if fmt.Sprint(plain(got)) != fmt.Sprint(plain(want)) {
				t.Errorf("replica %d: %v\nreplica 0: %v", i+1, plain(got), plain(want))
			}
		}
	})
}

// plain returns entries without pointers.
func plain(entries []feed.Entry) (texts []string) {
	for _, e := range entries {
		text := fmt.Sprint(e.Seq, e.NotBefore.UTC(), e.NotAfter.UTC(), e.Total, e.Active)
		for _, c := range e.Changes {
			for _, p := range []*participant.Participant{c.Before, c.After} {
				if p != nil {
					text += fmt.Sprint(" ", p.ID, p.Status, p.Role, c.ByWrite)
				}
			}
		}
		texts = append(texts, text)
	}
	return texts
}

func TestR02_PositionOfOneReplicaIsGoodOnAnother(t *testing.T) {
	runReplicas(t, 1, func(r *replicas) {
		r.Set("a", participant.StatusDialing)
		first, release := r.watch(r.all[0])
		defer release()
		r.advance(time.Second)
		position := first.State().Position
		r.Set("b", participant.StatusDialing)
		r.advance(1100 * time.Millisecond)
		second, release := r.watch(r.start())
		defer release()
		missed, kept := second.State().After(position)
		if !kept || len(missed) != 1 || second.State().Stale {
			t.Errorf("missed %v, kept %v, stale %v", plain(missed), kept, second.State().Stale)
		}
	})
}

// TestR02_FeedThatBeginsAgainGoesOnInItsLog ends all replicas, gracefully or not, and starts another.
func TestR02_FeedThatBeginsAgainGoesOnInItsLog(t *testing.T) {
	for name, end := range map[string]func(*replica){"closed": (*replica).close, "killed": (*replica).kill} {
		t.Run(name, func(t *testing.T) {
			runReplicas(t, 2, func(r *replicas) {
				r.Set("a", participant.StatusConnected)
				feeds := r.watchAll()
				r.advance(3 * time.Second)
				position := r.mustEqual(feeds).Position
				for _, replica := range r.all {
					end(replica)
				}
				r.Slow(6 * time.Second)
				r.Set("b", participant.StatusConnected)
				again, release := r.watch(r.start())
				defer release()
				r.advance(100 * time.Millisecond)
				if again.State().Known {
					t.Error("a log alone is no news of a list")
				}
				r.advance(4 * time.Second)
				if state := again.State(); !state.Known || !state.Stale || state.Position != position {
					t.Errorf("before the first list: known %v, stale %v, position %v, want %v", state.Known, state.Stale, state.Position, position)
				}
				r.advance(8 * time.Second)
				state := again.State()
				missed, kept := state.After(position)
				if state.Stale || !kept || len(missed) != 1 {
					t.Errorf("after the first list: stale %v, kept %v, missed %v", state.Stale, kept, plain(missed))
				}
			})
		})
	}
}

func TestR02_ReplicaThatJoinsALiveFeedIsNotStale(t *testing.T) {
	runReplicas(t, 1, func(r *replicas) {
		r.Set("a", participant.StatusConnected)
		_, release := r.watch(r.all[0])
		defer release()
		r.advance(time.Minute) // The conference is quiet: a list each 5 s.
		joined, release := r.watch(r.start())
		defer release()
		if state := joined.State(); !state.Known || state.Stale {
			t.Errorf("known %v, stale %v (%s)", state.Known, state.Stale, state.StaleReason)
		}
	})
}

// ends are the ways in which a replica stops polling without a word.
var ends = map[string]func(r *replicas, polling *replica){
	"killed":      func(_ *replicas, polling *replica) { polling.kill() },
	"cut off":     func(_ *replicas, polling *replica) { polling.SetAway(true) },
	"lease ended": func(r *replicas, polling *replica) { polling.Retire(); r.store.Steal() },
}

func TestR03_AnotherReplicaPollsWithinThreeSecondsAndAnInterval(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			runReplicas(t, 3, func(r *replicas) {
				r.Set("a", participant.StatusDialing)
				feeds := r.watchAll()
				r.advance(3 * time.Second)
				ended := r.polling()
				position := r.feedAt(ended, feeds).State().Position
				end(r, ended)
				r.Set("b", participant.StatusDialing)
				r.advance(4 * time.Second)
				if polls := r.pollsWithin(4 * time.Second); polls == 0 {
					t.Fatal("no list within 4 s")
				}
				for i, f := range feeds {
					if r.all[i] == ended {
						continue
					}
					missed, kept := f.State().After(position)
					if !kept || len(missed) != 1 || f.State().Stale || f.State().Total != 2 {
						t.Errorf("replica %d: missed %v, kept %v, stale %v", i, plain(missed), kept, f.State().Stale)
					}
				}
			})
		})
	}
}

func TestR03_ListOfALostLeaseIsRefused(t *testing.T) {
	runReplicas(t, 2, func(r *replicas) {
		r.Set("a", participant.StatusDialing)
		feeds := r.watchAll()
		r.advance(3 * time.Second)
		// The list is read before "b" is there, and ends after another replica has read it.
		r.Slow(400 * time.Millisecond)
		r.nextStart()
		r.Slow(0)
		r.Set("b", participant.StatusDialing)
		r.store.Steal()
		refused := r.store.Refused()
		r.advance(5 * time.Second)
		if r.store.Refused() == refused {
			t.Error("the store has refused nothing")
		}
		state := r.mustEqual(feeds)
		for _, e := range state.History {
			for _, c := range e.Changes {
				if c.After == nil {
					t.Errorf("an old list removed %s", c.Before.ID)
				}
			}
		}
	})
}

func TestR03_WindowsMoveWithTheLease(t *testing.T) {
	runReplicas(t, 2, func(r *replicas) {
		r.Set("a", participant.StatusDialing)
		feeds := r.watchAll()
		r.advance(3 * time.Second)
		r.other().write(participant.WriteAdd, "lagging", participant.StatusPending)
		r.advance(1500 * time.Millisecond)
		ended := r.polling()
		survivor := r.feedAt(r.other(), feeds)
		ended.Retire() // The next list comes within W6's window.
		r.advance(2 * time.Second)
		if statusOf(t, survivor, "lagging") == "" {
			t.Error("the new poller removed a participant within the window of their Add")
		}
		r.advance(5 * time.Second)
		if statusOf(t, survivor, "lagging") != "" {
			t.Error("the window never ended")
		}
	})
}

func TestR03_RowsMoveWithTheLease(t *testing.T) {
	runReplicas(t, 2, func(r *replicas) {
		for _, id := range []string{"a", "b"} {
			r.Set(id, participant.StatusDialing)
		}
		feeds := r.watchAll()
		r.advance(3 * time.Second)
		r.Alter(func(l *participant.List) { l.Pages = 2 })
		r.Remove("b")
		r.nextStart()
		r.advance(40 * time.Millisecond) // One list of several pages lacks b.
		ended := r.polling()
		survivor := r.feedAt(r.other(), feeds)
		if statusOf(t, survivor, "b") == "" {
			t.Fatal("one list of several pages removed b")
		}
		ended.Retire()
		r.advance(1400 * time.Millisecond)
		if statusOf(t, survivor, "b") != "" {
			t.Error("the second list in a row did not remove b")
		}
	})
}

func TestR03_BackOffMovesWithTheLease(t *testing.T) {
	runReplicas(t, 2, func(r *replicas) {
		r.Set("a", participant.StatusDialing)
		r.watchAll()
		r.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		r.advance(20 * time.Second)
		starts := r.Starts()
		last := starts[len(starts)-1]
		r.polling().Retire()
		r.nextStart()
		starts = r.Starts()
		if gap := starts[len(starts)-1].Sub(last); gap < 4*time.Second {
			t.Errorf("the new poller read a list %v after the last one", gap)
		}
	})
}

func TestR03_RefusalsOfTwoReplicasEndAConference(t *testing.T) {
	runReplicas(t, 2, func(r *replicas) {
		r.Set("a", participant.StatusDialing)
		feeds := r.watchAll()
		r.advance(3 * time.Second)
		r.Fail(feedtest.Refusal(404, apierror.ConferenceNotFound))
		r.nextStart()
		r.nextStart() // Too early to end the conference.
		r.advance(100 * time.Millisecond)
		r.polling().Retire()
		r.nextStart()
		r.advance(100 * time.Millisecond)
		for i, f := range feeds {
			if end := f.State().End; end == nil || !end.Gone || apierror.ReasonOf(end.Err) != apierror.ConferenceNotFound {
				t.Errorf("replica %d: end %+v", i, end)
			}
		}
		r.Fail(nil)
		r.advance(time.Second)
		again, release := r.watch(r.all[0])
		defer release()
		other, release := r.watch(r.start())
		defer release()
		r.advance(5 * time.Second)
		state := r.mustEqual([]*feed.Feed{again, other})
		if state.Position.Epoch == feeds[0].State().Position.Epoch || state.End != nil {
			t.Errorf("the conference that began again has the log of the one that ended: %v", state.Position)
		}
	})
}

func TestR04_HandOver(t *testing.T) {
	runReplicas(t, 3, func(r *replicas) {
		r.Set("a", participant.StatusDialing)
		r.watchAll()
		r.advance(3 * time.Second)
		for range 2 {
			starts := r.Starts()
			last := starts[len(starts)-1]
			r.polling().Retire()
			r.nextStart()
			starts = r.Starts()
			gap := starts[len(starts)-1].Sub(last)
			if gap > 1360*time.Millisecond || gap < 900*time.Millisecond {
				t.Errorf("the next list came %v after the last one", gap)
			}
			r.advance(3 * time.Second)
		}
	})
}

func TestR07_WriteReachesAllWatchersAtOnce(t *testing.T) {
	runReplicas(t, 3, func(r *replicas) {
		r.Set("a", participant.StatusConnected)
		feeds := r.watchAll()[:2]
		writers := append(slices.Clone(r.all), r.start()) // The last one follows nothing.
		r.advance(time.Minute)
		for i, writer := range writers {
			id := fmt.Sprint("w", i)
			writer.write(participant.WriteAdd, id, participant.StatusPending)
			for n, f := range feeds {
				if statusOf(t, f, id) != participant.StatusPending {
					t.Errorf("writer %d: replica %d does not have the Add", i, n)
				}
			}
			r.Set(id, participant.StatusPending)
			r.advance(1200 * time.Millisecond)
			if r.pollsWithin(1200*time.Millisecond) == 0 {
				t.Errorf("writer %d: the next list did not come earlier", i)
			}
			writer.write(participant.WriteRemove, id, participant.StatusPending)
			for n, f := range feeds {
				if statusOf(t, f, id) != "" {
					t.Errorf("writer %d: replica %d still has the participant", i, n)
				}
			}
		}
	})
}

// TestR07_WriteReachesAllWatchersWithLateMessages writes on a roster that is not the latest.
func TestR07_WriteReachesAllWatchersWithLateMessages(t *testing.T) {
	runReplicas(t, 2, func(r *replicas) {
		r.Set("a", participant.StatusConnected)
		feeds := r.watchAll()
		r.advance(time.Minute)
		writer := r.other()
		writer.DelayMessages(20 * time.Millisecond)
		for i := range 5 {
			r.polling().write(participant.WriteAdd, fmt.Sprint("x", i), participant.StatusPending)
			writer.write(participant.WriteAdd, fmt.Sprint("w", i), participant.StatusPending)
		}
		r.advance(150 * time.Millisecond)
		if state := r.mustEqual(feeds); state.Total != 11 {
			t.Errorf("%d participants, want 11", state.Total)
		}
	})
}

func TestR07_AnOldWriteIsNotPublished(t *testing.T) {
	runReplicas(t, 2, func(r *replicas) {
		r.Set("a", participant.StatusDialing)
		feeds := r.watchAll()
		r.advance(3 * time.Second)
		writer := r.other()
		record := writer.hub.Begin(t.Context(), key())
		writer.SetAway(true)
		record.Done(participant.Write{Kind: participant.WriteAdd, Item: participant.Item{
			Participant: participant.Participant{ID: "late", Status: participant.StatusPending}, Fields: participant.AllFields,
		}})
		r.advance(6 * time.Second)
		writer.SetAway(false)
		r.advance(4 * time.Second)
		r.mustEqual(feeds)
		if statusOf(t, feeds[0], "late") != "" {
			t.Error("a write older than 5 s was published")
		}
	})
}

func TestR07_RefreshAndControlsReachTheReplicaThatPolls(t *testing.T) {
	for name, call := range map[string]func(*feed.Hub){
		"refresh":       func(h *feed.Hub) { h.Refresh(t.Context(), key()) },
		"bring forward": func(h *feed.Hub) { h.BringForward(t.Context(), key()) },
		"a control that shows nothing": func(h *feed.Hub) {
			h.BeginControl(t.Context(), key()).Done(participant.Controlled{Control: participant.ControlMute, Item: participant.Item{Participant: participant.Participant{ID: "nobody"}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			runReplicas(t, 2, func(r *replicas) {
				r.Set("a", participant.StatusConnected)
				r.watchAll()
				r.advance(time.Minute)
				callers := []*replica{r.other(), r.start()}
				for i, caller := range callers {
					r.nextStart()
					r.advance(500 * time.Millisecond)
					call(caller.hub)
					r.advance(600 * time.Millisecond)
					if r.pollsWithin(650*time.Millisecond) == 0 {
						t.Errorf("caller %d: no list", i)
					}
				}
			})
		})
	}
}

func TestR08_StoreAway(t *testing.T) {
	runReplicas(t, 2, func(r *replicas) {
		r.Set("a", participant.StatusConnected)
		feeds := r.watchAll()
		r.advance(time.Minute)
		position := r.mustEqual(feeds).Position
		for _, replica := range r.all {
			replica.SetAway(true)
		}
		r.Set("b", participant.StatusConnected)
		r.advance(4 * time.Second)
		for i, f := range feeds {
			if state := f.State(); !state.Stale || state.StaleReason != apierror.SharedStateUnavailable || state.Position != position {
				t.Errorf("replica %d: stale %v (%s), position %v", i, state.Stale, state.StaleReason, state.Position)
			}
		}
		r.advance(time.Minute)
		if polls := r.pollsWithin(50 * time.Second); polls != 0 {
			t.Errorf("%d lists that nobody can know of", polls)
		}
		for _, replica := range r.all {
			replica.SetAway(false)
		}
		r.advance(2 * time.Second)
		r.mustEqual(feeds)
		missed, kept := feeds[0].State().After(position)
		if !kept || len(missed) != 1 {
			t.Errorf("kept %v, missed %v", kept, plain(missed))
		}
	})
}

func TestR08_AFeedThatBeginsWhileTheStoreIsAway(t *testing.T) {
	runReplicas(t, 1, func(r *replicas) {
		r.Set("a", participant.StatusConnected)
		r.all[0].SetAway(true)
		f, release := r.watch(r.all[0])
		defer release()
		r.advance(4 * time.Second)
		if state := f.State(); state.Known || state.StaleReason != apierror.SharedStateUnavailable {
			t.Errorf("known %v, reason %s", state.Known, state.StaleReason)
		}
		if f.CatchUp(t.Context()) {
			t.Error("a log that is out of reach was asked")
		}
		r.all[0].SetAway(false)
		r.advance(time.Second)
		if state := f.State(); !state.Known || state.Stale {
			t.Errorf("known %v, stale %v", state.Known, state.Stale)
		}
	})
}

// TestR08_ANewStoreBeginsANewLog loses all data, as a restart of Redis does, or spoils it (R11).
func TestR08_ANewStoreBeginsANewLog(t *testing.T) {
	for name, lose := range map[string]func(*feedtest.Store){"lost": (*feedtest.Store).Forget, "unreadable": (*feedtest.Store).Spoil} {
		t.Run(name, func(t *testing.T) {
			runReplicas(t, 3, func(r *replicas) {
				r.Set("a", participant.StatusDialing)
				feeds := r.watchAll()
				r.advance(3 * time.Second)
				r.other().write(participant.WriteAdd, "lagging", participant.StatusPending)
				before := r.mustEqual(feeds).Position
				lose(r.store)
				r.advance(4 * time.Second)
				state := r.mustEqual(feeds)
				if state.Position.Epoch == before.Epoch {
					t.Error("the log goes on")
				}
				if statusOf(t, feeds[0], "lagging") == "" {
					t.Error("what was known is lost")
				}
				r.Set("b", participant.StatusDialing)
				r.advance(1100 * time.Millisecond)
				if missed, kept := r.mustEqual(feeds).After(state.Position); !kept || len(missed) == 0 {
					t.Errorf("the new log: kept %v, missed %v", kept, plain(missed))
				}
			})
		})
	}
}

// TestR08_AFailedListBeginsALog loses the log while lists fail: what is known goes on in one new log.
func TestR08_AFailedListBeginsALog(t *testing.T) {
	runReplicas(t, 3, func(r *replicas) {
		r.Set("a", participant.StatusDialing)
		feeds := r.watchAll()
		r.advance(3 * time.Second)
		before := r.mustEqual(feeds).Position.Epoch
		r.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		r.store.Forget()
		r.advance(5 * time.Second)
		begun := feeds[0].State().Position.Epoch
		for i, f := range feeds {
			if state := f.State(); state.Position.Epoch == before || state.Position.Epoch != begun || state.Total != 1 {
				t.Errorf("replica %d: position %v, total %d", i, state.Position, state.Total)
			}
		}
		r.Fail(nil)
		r.advance(10 * time.Second)
		if state := r.mustEqual(feeds); state.Position.Epoch != begun {
			t.Error("another log began with the next list")
		}
	})
}

// TestR08_RosterOfAReplicaThatKnowsNothing loses the log while the upstream is down, and lets a
// replica begin the next one that has read no list.
func TestR08_RosterOfAReplicaThatKnowsNothing(t *testing.T) {
	runReplicas(t, 1, func(r *replicas) {
		r.Set("a", participant.StatusConnected)
		feeds := r.watchAll()
		r.advance(3 * time.Second)
		r.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		r.all[0].SetAway(true)
		r.advance(5 * time.Second)
		r.store.Forget()
		joined, release := r.watch(r.start())
		defer release()
		r.advance(time.Second)
		r.all[0].SetAway(false)
		r.advance(5 * time.Second)
		if state := feeds[0].State(); !state.Known || state.Total != 1 {
			t.Errorf("known %v, %d participants", state.Known, state.Total)
		}
		r.Fail(nil)
		r.advance(10 * time.Second)
		r.mustEqual(append(feeds, joined))
	})
}

func TestR11_AFeedThatBeginsOnAnUnreadableLog(t *testing.T) {
	runReplicas(t, 1, func(r *replicas) {
		r.Set("a", participant.StatusDialing)
		_, release := r.watch(r.all[0])
		r.advance(3 * time.Second)
		release()
		r.all[0].close()
		r.store.Spoil()
		f, release := r.watch(r.start())
		defer release()
		r.advance(time.Second)
		if state := f.State(); !state.Known || state.Stale || state.Total != 1 {
			t.Errorf("known %v, stale %v, total %d", state.Known, state.Stale, state.Total)
		}
	})
}

// TestR11_AReplicaThatCannotReadALiveLog joins with a replica that cannot read what the others can.
func TestR11_AReplicaThatCannotReadALiveLog(t *testing.T) {
	runReplicas(t, 2, func(r *replicas) {
		r.Set("a", participant.StatusConnected)
		feeds := r.watchAll()
		r.advance(time.Minute)
		before := r.mustEqual(feeds).Position
		joining := r.start()
		joining.Misread(before.Epoch)
		joined, release := r.watch(joining)
		defer release()
		r.other().write(participant.WriteAdd, "w", participant.StatusPending)
		r.advance(1500 * time.Millisecond)
		state := r.mustEqual(append(feeds, joined))
		if state.Position.Epoch == before.Epoch || state.Total != 2 {
			t.Errorf("the old log goes on: %v; %d participants", state.Position.Epoch == before.Epoch, state.Total)
		}
	})
}

// TestR02_CommitsThatComeBackBeforeTheirAnswers delays answers, so that followers are faster.
func TestR02_CommitsThatComeBackBeforeTheirAnswers(t *testing.T) {
	runReplicas(t, 2, func(r *replicas) {
		r.Set("a", participant.StatusDialing)
		feeds := r.watchAll()
		r.advance(3 * time.Second)
		position := r.mustEqual(feeds).Position
		for _, replica := range r.all {
			replica.DelayAnswers(20 * time.Millisecond)
		}
		for i := range 5 {
			r.Set(fmt.Sprint("p", i), participant.StatusDialing)
			r.all[i%2].write(participant.WriteAdd, fmt.Sprint("w", i), participant.StatusPending)
			r.Set(fmt.Sprint("w", i), participant.StatusPending)
			r.advance(1200 * time.Millisecond)
		}
		r.advance(500 * time.Millisecond)
		r.mustEqual(feeds)
		for i, f := range feeds {
			if missed, kept := f.State().After(position); !kept || len(missed) != 10 {
				t.Errorf("replica %d: kept %v, missed %v", i, kept, plain(missed))
			}
		}
	})
}

// TestW05_WritesAtTheSameTimeReachWatchersBeforeTheirAnswers has a log that takes some time.
func TestW05_WritesAtTheSameTimeReachWatchersBeforeTheirAnswers(t *testing.T) {
	runReplicas(t, 1, func(r *replicas) {
		r.Set("a", participant.StatusDialing)
		watched := r.watchAll()[0]
		r.advance(3 * time.Second)
		r.all[0].DelayAnswers(20 * time.Millisecond)
		var writes sync.WaitGroup
		for _, id := range []string{"x", "y"} {
			writes.Go(func() {
				r.all[0].write(participant.WriteAdd, id, participant.StatusPending)
				if _, found := watched.State().People.Find(id); !found {
					t.Errorf("the answer to the add of %s came first", id)
				}
			})
		}
		writes.Wait()
	})
}

// TestR03_LostAnswers loses the answers of appends that took effect.
func TestR03_LostAnswers(t *testing.T) {
	runReplicas(t, 2, func(r *replicas) {
		r.Set("a", participant.StatusDialing)
		feeds := r.watchAll()
		r.advance(3 * time.Second)
		position := r.mustEqual(feeds).Position
		for i := range 5 {
			r.polling().LoseAnswers(1)
			r.Set(fmt.Sprint("p", i), participant.StatusDialing)
			r.advance(1200 * time.Millisecond)
			r.other().LoseAnswers(1)
			r.other().write(participant.WriteAdd, fmt.Sprint("w", i), participant.StatusPending)
			r.Set(fmt.Sprint("w", i), participant.StatusPending)
			r.advance(1200 * time.Millisecond)
		}
		r.advance(3 * time.Second)
		missed, _ := r.mustEqual(feeds).After(position)
		if len(missed) != 10 {
			t.Errorf("missed %v", plain(missed))
		}
	})
}

func TestR07_WriteOfAnotherReplicaBringsTheNextListForward(t *testing.T) {
	runReplicas(t, 2, func(r *replicas) {
		r.Set("a", participant.StatusConnected)
		r.watchAll()
		for _, writer := range []*replica{r.other(), r.start()} {
			r.advance(time.Minute)
			r.nextStart()
			r.advance(1500 * time.Millisecond)
			writer.write(participant.WriteRemove, "a", participant.StatusConnected)
			r.advance(100 * time.Millisecond)
			if r.pollsWithin(150*time.Millisecond) == 0 {
				t.Error("no list")
			}
		}
	})
}

// TestR07_WriteDuringAList completes a write while a list is in flight whose commit comes back
// before its answer.
func TestR07_WriteDuringAList(t *testing.T) {
	runReplicas(t, 2, func(r *replicas) {
		r.Set("a", participant.StatusConnected)
		r.watchAll()
		r.advance(time.Minute)
		for i := range 2 {
			for _, replica := range r.all {
				replica.DelayAnswers(20 * time.Millisecond)
			}
			r.Slow(500 * time.Millisecond)
			r.advance(time.Minute)
			r.nextStart()
			r.advance(200 * time.Millisecond)
			r.all[i].write(participant.WriteRemove, fmt.Sprint("unknown", i), participant.StatusConnected)
			r.Slow(0)
			r.advance(900 * time.Millisecond)
			if r.pollsWithin(200*time.Millisecond) == 0 {
				t.Errorf("replica %d: no list a second after the last one", i)
			}
		}
	})
}

// TestR12_AFollowerTurnsStaleByItsOwnClock lets the list after a takeover hang.
func TestR12_AFollowerTurnsStaleByItsOwnClock(t *testing.T) {
	runReplicas(t, 3, func(r *replicas) {
		r.Set("a", participant.StatusDialing)
		feeds := r.watchAll()
		r.advance(3 * time.Second)
		r.mustEqual(feeds)
		r.Slow(30 * time.Second)
		r.polling().kill()
		r.advance(6 * time.Second)
		for i, f := range feeds {
			if state := f.State(); !r.all[i].closed && (!state.Stale || state.StaleReason != apierror.PollDelayed) {
				t.Errorf("replica %d: stale %v (%s)", i, state.Stale, state.StaleReason)
			}
		}
	})
}

func TestR12_FollowersJudgeFreshnessFromReceipt(t *testing.T) {
	runReplicas(t, 2, func(r *replicas) {
		r.Set("a", participant.StatusDialing)
		feeds := r.watchAll()
		r.advance(3 * time.Second)
		state := r.mustEqual(feeds)
		if age := time.Now().Add(time.Minute).Sub(state.LastSuccess); age < 0 || age > 2*time.Second {
			t.Errorf("by the store's clock the last list is %v old", age)
		}
		r.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		r.advance(6 * time.Second)
		for i, f := range feeds {
			if state := f.State(); !state.Stale || state.StaleReason != apierror.UpstreamUnavailable {
				t.Errorf("replica %d: stale %v (%s)", i, state.Stale, state.StaleReason)
			}
		}
	})
}
