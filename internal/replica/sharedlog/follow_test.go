package sharedlog_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/replica/sharedlog"
)

func TestR02_FollowersGetEachCommitOnce(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a, b := join(t, server, "a"), join(t, server, "b")
	logA := a.Open(conference)
	c, _ := follow(t, b.Open(conference))
	if c.at() != (sharedlog.Head{}) {
		t.Errorf("head of no log = %v", c.at())
	}
	head := begin(t, a, logA, map[string][]byte{"p1": []byte("in")})
	c.reach(t, head)

	lease := mustLead(t, logA)
	list := a.write(head, "p2", "in")
	list.Lease, list.Marks, list.Status, list.Floor = lease, []byte("m2"), []byte("s2"), 1
	list.Forgotten = []string{"p1", "never known"}
	head = mustAppend(t, logA, list, sharedlog.Appended)
	unchanged := sharedlog.Batch{ID: a.NewID(), Expected: head, Lease: lease, Status: []byte("s3")}
	head = mustAppend(t, logA, unchanged, sharedlog.Appended)
	silent := a.write(head, "p2", "missed")
	silent.Changes = 0
	head = mustAppend(t, logA, silent, sharedlog.Appended)
	c.reach(t, head)

	if want := (sharedlog.Head{Epoch: head.Epoch, Seq: 3, Commits: 4}); head != want {
		t.Errorf("head = %v, want %v", head, want)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if got := fmt.Sprintf("%v %s %s %v", c.members, c.marks, c.status, c.history); got != "map[p2:missed] m2 s3 map[2:p2=in]" {
		t.Errorf("copy = %s", got)
	}
	got := c.updates[2:]
	if c.snapshots != 2 || len(got) != 3 {
		t.Fatalf("%d snapshots, updates: %+v", c.snapshots, got)
	}
	commit := got[0].Commit
	if commit.ID != list.ID || commit.Changes != 1 || commit.Floor != 1 || time.Since(commit.At).Abs() > time.Minute {
		t.Errorf("commit = %+v", commit)
	}
}

func TestR02_LateFollowerGetsTheWholeLog(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a, b := join(t, server, "a"), join(t, server, "b")
	logA := a.Open(conference)
	members := map[string][]byte{}
	for i := range 2500 { // More than one command's arguments in a script.
		members[fmt.Sprint("p", i)] = []byte("in\x00\r\n\xff")
	}
	head := begin(t, a, logA, members)
	lease := mustLead(t, logA)
	list := a.write(head, "new", strings.Repeat("x", 100_000))
	list.Lease, list.Marks, list.Status = lease, []byte("m"), []byte("s")
	for i := range 2400 {
		list.Forgotten = append(list.Forgotten, fmt.Sprint("p", i))
	}
	head = mustAppend(t, logA, list, sharedlog.Appended)
	c, _ := follow(t, b.Open(conference))
	if c.at() != head || c.marks != "m" || c.status != "s" {
		t.Errorf("head %v, marks %q, status %q", c.at(), c.marks, c.status)
	}
	if got := c.roster(); len(got) != 101 || got["p2499"] != "in\x00\r\n\xff" || len(got["new"]) != 100_000 {
		t.Errorf("%d members", len(got))
	}
}

func TestR02_LostMessagesAreLoaded(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a, b := join(t, server, "a"), join(t, server, "b")
	logA := a.Open(conference)
	head := begin(t, a, logA, nil)
	c, _ := follow(t, b.Open(conference))
	change := func() {
		head = mustAppend(t, logA, a.write(head, "p1", fmt.Sprint(head.Commits)), sharedlog.Appended)
	}
	faults := map[string]func(){
		// Nothing shows that a message is missing but the head that Run reads.
		"dropped by Redis":          func() { server.Do("CLIENT", "KILL", "TYPE", "pubsub"); change() },
		"while cut off":             func() { b.proxy.Cut(); change(); change(); b.proxy.Restore() },
		"while stalled":             func() { b.proxy.Stall(); change(); change(); b.proxy.Cut(); b.proxy.Restore() },
		"sent again":                func() { server.Do("PUBLISH", "pgw:log1:u1:conf", replay(head, 0)) },
		"of a later commit":         func() { change(); server.Do("PUBLISH", "pgw:log1:u1:conf", replay(head, 7)) },
		"of a log that was dropped": func() { server.Do("PUBLISH", "pgw:log1:u1:conf", replay(sharedlog.Head{Epoch: sharedlog.Epoch{9}}, 0)) },
	}
	for name, fail := range faults {
		t.Run(name, func(t *testing.T) {
			for range 3 {
				fail()
				change()
				c.reach(t, head)
			}
			if got := c.roster()["p1"]; got != fmt.Sprint(head.Commits-1) {
				t.Errorf("p1 = %q at %v", got, head)
			}
		})
	}
}

// replay returns the message of a commit that is a number of commits after head.
func replay(head sharedlog.Head, after uint64) string {
	fields := []string{
		"commit", fmt.Sprintf("%x", head.Epoch), fmt.Sprint(head.Seq + after), fmt.Sprint(head.Commits + after),
		"0", "1", "9", "id", "1", "entry", "", "", "1", "p1", "invented",
	}
	var message strings.Builder
	for _, field := range fields {
		fmt.Fprintf(&message, "%d:%s", len(field), field)
	}
	return message.String()
}

func TestR02_FollowerThatIsSlowMissesNothing(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a, b := join(t, server, "a"), join(t, server, "b")
	logA := a.Open(conference)
	head := begin(t, a, logA, nil)
	c, _ := follow(t, b.Open(conference))
	c.mu.Lock()
	for i := range 600 { // More than a follower's queue.
		head = mustAppend(t, logA, a.write(head, fmt.Sprint("p", i), "in"), sharedlog.Appended)
	}
	c.mu.Unlock()
	c.reach(t, head)
	if got := c.roster(); len(got) != 600 {
		t.Errorf("%d members", len(got))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.history) != 600 || c.snapshots < 2 {
		t.Errorf("%d entries, %d snapshots", len(c.history), c.snapshots)
	}
}

func TestR02_AnotherReplicaHearsAtOnce(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a, b := join(t, server, "a"), join(t, server, "b")
	logA := a.Open(conference)
	head := begin(t, a, logA, nil)
	c, _ := follow(t, b.Open(conference))
	slow := 0
	for range 200 {
		began := time.Now()
		head = mustAppend(t, logA, a.write(head, "p1", "x"), sharedlog.Appended)
		for c.at() != head {
			<-time.After(200 * time.Microsecond)
		}
		if time.Since(began) > 50*time.Millisecond {
			slow++
		}
	}
	if slow > 50 {
		t.Errorf("%d of 200 commits took more than 50 ms", slow)
	}
}

func TestR09_UnchangedListSendsThreeCommandsAtMost(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a := join(t, server, "a")
	log := a.Open(conference)
	lease := mustLead(t, log)
	base := a.write(sharedlog.Head{}, "p1", "in")
	base.Base, base.Lease = true, lease
	head := mustAppend(t, log, base, sharedlog.Appended)
	a.stop()
	before := sent(t, server)
	if _, err := log.Tick(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, log, sharedlog.Batch{ID: a.NewID(), Expected: head, Lease: lease, Status: []byte("s")}, sharedlog.Appended)
	if got := sent(t, server) - before; got != 2 {
		t.Errorf("%d calls of scripts", got)
	}
}

// sent returns how many scripts clients have called.
func sent(t *testing.T, server *redistest.Server) (calls int) {
	t.Helper()
	for line := range strings.Lines(server.Client().Info(t.Context(), "commandstats").Val()) {
		var n int
		if _, err := fmt.Sscanf(line, "cmdstat_evalsha:calls=%d,", &n); err == nil {
			calls += n
		}
	}
	return calls
}

func TestR02_LogReplacedWhileItIsLoaded(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a, b := join(t, server, "a"), join(t, server, "b")
	a.stop()
	b.stop()
	logA, logB := a.Open(conference), b.Open(conference)
	head := begin(t, a, logA, nil)
	head = mustAppend(t, logA, a.write(head, "old", "in"), sharedlog.Appended)
	before := sent(t, server)
	b.proxy.Delay(300 * time.Millisecond)
	loaded := make(chan sharedlog.Snapshot, 1)
	go func() {
		snapshot, err := logB.Load(t.Context(), sharedlog.Head{})
		if err != nil {
			t.Error(err)
		}
		loaded <- snapshot
	}()
	eventually(t, "Redis has run the script", func() bool { return sent(t, server) > before })
	base := a.write(head, "new", "in")
	base.Base = true
	head = mustAppend(t, logA, base, sharedlog.Appended)
	if got := <-loaded; got.Head != head || len(got.Members) != 1 || len(got.Entries) != 0 {
		t.Errorf("loaded %+v, want the log at %v", got, head)
	}
}

func TestR02_LostStatusIsLoaded(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a, b := join(t, server, "a"), join(t, server, "b")
	logA := a.Open(conference)
	head := begin(t, a, logA, nil)
	c, _ := follow(t, b.Open(conference))
	lease := mustLead(t, logA)
	for _, status := range []string{"s1", "s2"} {
		b.proxy.Cut()
		head = mustAppend(t, logA, sharedlog.Batch{ID: a.NewID(), Expected: head, Lease: lease, Status: []byte(status)}, sharedlog.Appended)
		b.proxy.Restore()
		c.reach(t, head)
		c.mu.Lock()
		if c.status != status || c.head.Seq != 1 {
			t.Errorf("status = %q at %v", c.status, c.head)
		}
		c.mu.Unlock()
	}
}

func TestR02_CommitWithoutAMessageIsLoaded(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a, b := join(t, server, "a"), join(t, server, "b")
	head := begin(t, a, a.Open(conference), nil)
	c, _ := follow(t, b.Open(conference))
	server.Do("HINCRBY", key+"head", "commits", 1)
	head.Commits++
	c.reach(t, head)
}
