package sharedlog_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/replica/sharedlog"
)

// model knows what each replica has received. At one head all must have the same: a
// follower that missed, repeated or invented a commit has another roster. Each batch
// increments the member "n" of the roster on which it was planned, so that n is the
// sequence number unless two batches were planned on one head.
type model struct {
	mu       sync.Mutex
	rosters  map[sharedlog.Head]string
	ids      map[batchOf]sharedlog.Head
	findings []string
	outcomes map[sharedlog.Outcome]int
	errors   int
}

func (m *model) findf(format string, args ...any) {
	if len(m.findings) < 10 {
		m.findings = append(m.findings, fmt.Sprintf(format, args...))
	}
}

// received checks an update and what a copy has after it.
func (m *model) received(u sharedlog.Update, before sharedlog.Head, c *copyOf) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c.head == (sharedlog.Head{}) {
		return
	}
	if same := before.Epoch == c.head.Epoch; same && (u.Commit != nil && c.head.Commits != before.Commits+1 || c.head.Commits <= before.Commits) {
		m.findf("%v after %v", c.head, before)
	}
	if n := c.members["n"]; n != strconv.FormatUint(c.head.Seq, 10) {
		m.findf("n = %s at %v", n, c.head)
	}
	roster := fmt.Sprint(c.members, c.marks)
	if known, ok := m.rosters[c.head]; ok && known != roster {
		m.findf("two rosters at %v:\n%s\n%s", c.head, known, roster)
	}
	m.rosters[c.head] = roster
	if u.Commit != nil {
		m.record(u.Commit.ID, c.head)
	}
	for seq := c.head.Seq; seq > 1 && u.Snapshot != nil && seq > u.Snapshot.Floor; seq-- {
		if c.history[seq] != strconv.FormatUint(seq, 10) {
			m.findf("entry %d at %v is %q", seq, c.head, c.history[seq])
		}
	}
}

// record records at which head a batch was appended: once in each log. One whose answer was lost
// with the log is appended to the next log too.
func (m *model) record(id string, head sharedlog.Head) {
	appended := batchOf{id, head.Epoch}
	if known, ok := m.ids[appended]; ok && known != head {
		m.findf("batch %s is at %v and %v", id, known, head)
	}
	m.ids[appended] = head
}

// batchOf is a batch of one log.
type batchOf struct {
	id    string
	epoch sharedlog.Epoch
}

func (m *model) result(id string, outcome sharedlog.Outcome, head sharedlog.Head, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.errors++
		return
	}
	m.outcomes[outcome]++
	if outcome == sharedlog.Appended {
		m.record(id, head)
	}
}

// author appends lists and writes planned on its copy until ctx ends.
type author struct {
	*replica

	model *model
	log   *sharedlog.Log
	copy  *copyOf
	ended context.Context
}

func (a *author) run() {
	var polling sync.WaitGroup
	polling.Go(a.pollWhileHeld)
	for a.ended.Err() == nil {
		a.append(a.plan(nil))
		<-time.After(rand.N(3 * time.Millisecond))
	}
	polling.Wait()
}

func (a *author) pollWhileHeld() {
	for a.ended.Err() == nil {
		lease, err := a.log.Lead(a.ended)
		if err != nil {
			return
		}
		for range 20 {
			<-time.After(rand.N(20 * time.Millisecond))
			a.append(a.plan(lease))
		}
		_ = lease.Release(context.Background())
	}
}

// plan returns a write, or a list under a lease; half of the lists have no change.
func (a *author) plan(lease *sharedlog.Lease) sharedlog.Batch {
	a.copy.mu.Lock()
	defer a.copy.mu.Unlock()
	n, _ := strconv.Atoi(a.copy.members["n"])
	next := strconv.Itoa(n + 1)
	b := sharedlog.Batch{
		ID: a.NewID(), Expected: a.copy.head, Answered: a.conn.Now(), Lease: lease,
		Entry: []byte(next), Changes: 1, Members: map[string][]byte{"n": []byte(next), "by": []byte(next)}, Floor: uint64(max(n-50, 0)),
	}
	if lease != nil {
		b.Marks = []byte(strconv.FormatUint(a.copy.head.Commits, 10))
	}
	if lease != nil && rand.N(2) == 0 {
		b.Entry, b.Members, b.Changes = nil, nil, 0
	}
	return b
}

// append appends a batch, again after an error, and waits for its effect.
func (a *author) append(b sharedlog.Batch) {
	for {
		result, err := a.log.Append(context.Background(), b)
		a.model.result(b.ID, result.Outcome, result.Head, err)
		switch {
		case err != nil && a.ended.Err() == nil:
			<-time.After(rand.N(50 * time.Millisecond))
			continue
		case err != nil:
		case result.Outcome == sharedlog.Missing:
			b.Base, b.Members = true, map[string][]byte{"n": []byte("1"), "by": []byte(b.ID)}
			continue
		case result.Outcome == sharedlog.Fenced, result.Outcome == sharedlog.TooOld:
		default:
			a.await(result.Head)
		}
		return
	}
}

// await waits until the copy has reached a head or another log.
func (a *author) await(head sharedlog.Head) {
	for a.ended.Err() == nil {
		if at := a.copy.at(); at.Epoch == head.Epoch && at.Commits >= head.Commits || at.Epoch != head.Epoch && at != (sharedlog.Head{}) {
			return
		}
		<-time.After(time.Millisecond)
	}
}

// fail does one random thing to the network or to Redis.
func fail(server *redistest.Server, replicas []*author) string {
	proxy := replicas[rand.N(len(replicas))].proxy
	wait := func(most time.Duration) { <-time.After(rand.N(most)) }
	switch rand.N(12) {
	case 0, 1, 2:
		proxy.Cut()
		wait(300 * time.Millisecond)
		proxy.Restore()
		return "cut"
	case 3:
		proxy.Stall()
		wait(1500 * time.Millisecond)
		proxy.Restore()
		return "stalled"
	case 4, 5:
		proxy.Delay(rand.N(20 * time.Millisecond))
		wait(300 * time.Millisecond)
		proxy.Cut()
		proxy.Restore()
		return "answers lost"
	case 6:
		server.Restart(true)
		return "restarted"
	case 7:
		server.Restart(false)
		return "replaced"
	case 8:
		server.Flush()
		return "flushed"
	case 9:
		server.Pause()
		wait(400 * time.Millisecond)
		server.Continue()
		return "stopped"
	default:
		server.Do("CLIENT", "KILL", "TYPE", "pubsub")
		return "unsubscribed"
	}
}

func TestR02_ModelOfThreeReplicas(t *testing.T) {
	server := redistest.Start(t, redistest.Options{AppendOnly: true, Config: []string{"appendfsync no"}})
	m := &model{rosters: map[sharedlog.Head]string{}, ids: map[batchOf]sharedlog.Head{}, outcomes: map[sharedlog.Outcome]int{}}
	writing, stopWriting := context.WithCancel(t.Context())
	following, stopFollowing := context.WithCancel(t.Context())
	defer stopFollowing()
	var writers, followers sync.WaitGroup
	var authors []*author
	for _, id := range []string{"a", "b", "c"} {
		r := join(t, server, id)
		a := &author{replica: r, model: m, log: r.Open(conference), copy: &copyOf{members: map[string]string{}, history: map[uint64]string{}}, ended: writing}
		authors = append(authors, a)
		followers.Go(func() {
			a.log.Follow(following, func(u sharedlog.Update) {
				before := a.copy.at()
				a.copy.receive(u)
				a.copy.mu.Lock()
				defer a.copy.mu.Unlock()
				a.copy.updates = nil
				m.received(u, before, a.copy)
			})
		})
		writers.Go(a.run)
	}
	faults := map[string]int{}
	for end := time.Now().Add(8 * time.Second); time.Now().Before(end); {
		<-time.After(rand.N(400 * time.Millisecond))
		faults[fail(server, authors)]++
	}
	eventually(t, "all replicas reach Redis", func() bool {
		return authors[0].conn.Available() && authors[1].conn.Available() && authors[2].conn.Available()
	})
	stopWriting()
	writers.Wait()
	want := mustLoad(t, authors[0].log, sharedlog.Head{})
	for _, a := range authors {
		if want.State == sharedlog.Loaded {
			a.copy.reach(t, want.Head)
			if got := a.copy.roster(); len(want.Members) != len(got) || got["by"] != string(want.Members["by"]) {
				t.Errorf("roster = %v, want %v", got, want.Members)
			}
		}
	}
	for key, life := range keysOf(t, server) {
		if life <= 0 {
			t.Errorf("%s never expires", key)
		}
	}
	stopFollowing()
	followers.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, finding := range m.findings {
		t.Error(finding)
	}
	epochs := map[sharedlog.Epoch]bool{}
	for head := range maps.Keys(m.rosters) {
		epochs[head.Epoch] = true
	}
	t.Logf("%d heads, %d epochs, outcomes %v, %d errors, faults %v", len(m.rosters), len(epochs), m.outcomes, m.errors, faults)
	if m.outcomes[sharedlog.Appended] < 100 || m.outcomes[sharedlog.Conflict] == 0 {
		t.Errorf("too few outcomes: %v", m.outcomes)
	}
}
