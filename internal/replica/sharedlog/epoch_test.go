package sharedlog_test

import (
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/replica/sharedlog"
)

// key is what the keys of the conference begin with.
const key = "pgw:log1:u1:conf:"

func TestR08_UnusableLogBeginsAnEpoch(t *testing.T) {
	tests := map[string]func(*redistest.Server){
		"restart with data":    func(s *redistest.Server) { s.Restart(true) },
		"restart without data": func(s *redistest.Server) { s.Restart(false) },
		"flushed":              func(s *redistest.Server) { s.Flush() },
		"head evicted":         func(s *redistest.Server) { s.Do("DEL", key+"head") },
		"members evicted":      func(s *redistest.Server) { s.Do("DEL", key+"members") },
		"entries evicted":      func(s *redistest.Server) { s.Do("DEL", key+"entries") },
		"member lost":          func(s *redistest.Server) { s.Do("HDEL", key+"members", "p1") },
		"head of another type": func(s *redistest.Server) { s.Do("DEL", key+"head"); s.Do("SET", key+"head", "x") },
		"members of another type": func(s *redistest.Server) {
			s.Do("DEL", key+"members")
			s.Do("SET", key+"members", "x")
		},
		"entries of another type": func(s *redistest.Server) {
			s.Do("DEL", key+"entries")
			s.Do("SET", key+"entries", "x")
		},
		"number unreadable": func(s *redistest.Server) { s.Do("HSET", key+"head", "seq", "many") },
		"number too large":  func(s *redistest.Server) { s.Do("HSET", key+"head", "commits", "1e300") },
		"number negative":   func(s *redistest.Server) { s.Do("HSET", key+"head", "floor", "-1") },
		"field missing":     func(s *redistest.Server) { s.Do("HDEL", key+"head", "recent") },
		"epoch unreadable":  func(s *redistest.Server) { s.Do("HSET", key+"head", "epoch", "short") },
	}
	server := redistest.Start(t, redistest.Options{AppendOnly: true})
	a, b := join(t, server, "a"), join(t, server, "b")
	for name, breakLog := range tests {
		t.Run(name, func(t *testing.T) {
			server.Flush()
			logA, logB := a.Open(conference), b.Open(conference)
			old := begin(t, a, logA, map[string][]byte{"p1": []byte("in"), "p2": []byte("in")})
			old = mustAppend(t, logA, a.write(old, "p1", "held"), sharedlog.Appended)
			c, stop := follow(t, logB)
			defer stop()

			breakLog(server)
			eventually(t, "Redis can be used", func() bool {
				_, errA := logA.Tick(t.Context(), 0)
				_, errB := logB.Tick(t.Context(), 0)
				return errA == nil && errB == nil
			})
			if got := mustLoad(t, logA, sharedlog.Head{}); got.State != sharedlog.Absent {
				t.Errorf("load = %v", got)
			}
			mustAppend(t, logA, a.write(old, "p3", "in"), sharedlog.Missing)
			base := a.write(old, "p9", "in")
			base.Base = true
			head := mustAppend(t, logA, base, sharedlog.Appended)
			if head.Epoch == old.Epoch || head.Seq != 1 || head.Commits != 1 {
				t.Errorf("head = %v after %v", head, old)
			}
			mustAppend(t, logB, b.write(old, "p3", "in"), sharedlog.Conflict)
			c.reach(t, head)
			if got := c.roster(); len(got) != 1 || got["p9"] != "in" {
				t.Errorf("the follower's roster = %v", got)
			}
			next := mustAppend(t, logB, b.write(head, "p9", "out"), sharedlog.Appended)
			c.reach(t, next)
			got := mustLoad(t, logA, head)
			if got.Floor != 0 || len(got.Entries) != 1 || len(got.Members) != 1 || got.Head != next {
				t.Errorf("log = %v", got)
			}
		})
	}
}

func TestR11_UnreadableBytesBeginAnEpoch(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a := join(t, server, "a")
	log := a.Open(conference)
	head := begin(t, a, log, map[string][]byte{"p1": []byte("\x00\xff unreadable")})
	c, _ := follow(t, log)
	base := a.write(head, "p1", "in")
	base.Base = true
	next := mustAppend(t, log, base, sharedlog.Appended)
	if next.Epoch == head.Epoch || next.Seq != 1 {
		t.Errorf("head = %v after %v", next, head)
	}
	c.reach(t, next)
}

func TestR11_UnreadableHistoryBeginsAnEpoch(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a := join(t, server, "a")
	log := a.Open(conference)
	for name, breakHistory := range map[string]func(){
		"other fields":   func() { server.Do("XADD", key+"entries", "2-0", "a", "b") },
		"no time":        func() { server.Do("XADD", key+"entries", "2-0", "at", "x", "id", "i", "changes", "1", "entry", "e") },
		"other changes":  func() { server.Do("XADD", key+"entries", "2-0", "at", "1", "id", "i", "changes", "-1", "entry", "e") },
		"other sequence": func() { server.Do("XADD", key+"entries", "2-7", "at", "1", "id", "i", "entry", "e", "x", "y") },
	} {
		t.Run(name, func(t *testing.T) {
			server.Flush()
			head := begin(t, a, log, nil)
			head = mustAppend(t, log, a.write(head, "p1", "in"), sharedlog.Appended)
			server.Do("DEL", key+"entries")
			breakHistory()
			c, stop := follow(t, log)
			defer stop()
			if got := c.updates[0].Snapshot; got.State != sharedlog.Unreadable || got.Head != head {
				t.Errorf("snapshot = %+v", got)
			}
			base := a.write(head, "p1", "in")
			base.Base = true
			next := mustAppend(t, log, base, sharedlog.Appended)
			c.reach(t, next)
			c.reach(t, mustAppend(t, log, a.write(next, "p2", "in"), sharedlog.Appended))
		})
	}
}

func TestR11_UnreadableMessageIsLoaded(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a := join(t, server, "a")
	log := a.Open(conference)
	head := begin(t, a, log, nil)
	c, _ := follow(t, log)
	for _, message := range []string{"", "x", "5:commi", "99999999999999999999:x", "6:commit", "4:base2:zz1:11:1", "6:commit32:", "-1:", "4:free4:free"} {
		server.Do("PUBLISH", "pgw:log1:u1:conf", message)
		head = mustAppend(t, log, a.write(head, "p1", message), sharedlog.Appended)
		c.reach(t, head)
	}
	if got := c.roster(); got["p1"] != "4:free4:free" {
		t.Errorf("roster = %v", got)
	}
}

func TestR11_EachVersionKeepsItsOwnLog(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	this := join(t, server, "a")
	next := sharedlog.NewVersion(this.Logs, "log2")
	logs := map[string]*sharedlog.Log{"log1": this.Open(conference), "log2": next.Open(conference)}
	heads := map[string]sharedlog.Head{}
	copies := map[string]*copyOf{}
	for version, log := range logs {
		heads[version] = begin(t, this, log, map[string][]byte{"p1": []byte(version)})
		copies[version], _ = follow(t, log)
	}
	for version, log := range logs {
		heads[version] = mustAppend(t, log, this.write(heads[version], "p2", version), sharedlog.Appended)
		other := sharedlog.Head{Epoch: sharedlog.Epoch{1}, Seq: 1, Commits: 1}
		if got := mustLoad(t, log, other); string(got.Members["p1"]) != version || got.Head != heads[version] {
			t.Errorf("%s = %v", version, got)
		}
	}
	if heads["log1"].Epoch == heads["log2"].Epoch {
		t.Error("two versions have one epoch")
	}
	for version, c := range copies {
		c.reach(t, heads[version])
		if got := c.roster(); got["p2"] != version {
			t.Errorf("%s: roster = %v", version, got)
		}
	}
	leases := map[string]*sharedlog.Lease{"log1": mustLead(t, logs["log1"]), "log2": mustLead(t, logs["log2"])}
	for version, lease := range leases {
		list := sharedlog.Batch{ID: this.NewID(), Expected: heads[version], Lease: lease, Status: []byte("s")}
		mustAppend(t, logs[version], list, sharedlog.Appended)
	}
}

func TestR12_ClockNeverGoesBack(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a, b := join(t, server, "a"), join(t, server, "b")
	logA, logB := a.Open(conference), b.Open(conference)
	last := uint64(0)
	tick := func(log *sharedlog.Log, atLeast uint64) {
		t.Helper()
		got, err := log.Tick(t.Context(), atLeast)
		if err != nil {
			t.Fatal(err)
		}
		if got <= last || got <= atLeast {
			t.Errorf("tick = %d after %d, at least %d", got, last, atLeast)
		}
		last = got
	}
	for range 100 {
		tick(logA, 0)
		tick(logB, 0)
	}
	server.Flush()
	tick(logB, 0)
	server.Do("DEL", key+"clock")
	server.Do("LPUSH", key+"clock", "x")
	tick(logB, 0)
	// Another Redis, with a clock a minute behind and an old counter.
	ahead := last + uint64(time.Minute.Microseconds())
	tick(logA, ahead)
	tick(logB, 0)
	server.Do("SET", key+"clock", "5")
	tick(logB, last)
}

func TestR11_KeysOfAnotherTypeAreReplaced(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a, b := join(t, server, "a"), join(t, server, "b")
	for _, name := range []string{"clock", "lease", "present", "head", "leases"} {
		t.Run(name, func(t *testing.T) {
			log := a.Open(name)
			broken := "pgw:log1:u1:" + name + ":" + name
			if name == "leases" {
				broken = "pgw:log1:u1:leases"
			}
			server.Do("DEL", broken)
			server.Do("LPUSH", broken, "x")
			follow(t, log)
			lease := mustLead(t, log)
			b.candidates(t, name)
			if _, err := log.Tick(t.Context(), 0); err != nil {
				t.Error(err)
			}
			base := a.write(sharedlog.Head{}, "p1", "in")
			base.Base, base.Lease = true, lease
			mustAppend(t, log, base, sharedlog.Appended)
			eventually(t, "the key is replaced", func() bool { return server.Client().Type(t.Context(), broken).Val() != "list" })
			if isLost(lease) {
				t.Error("the lease is lost")
			}
		})
	}
}

func TestR08_FailoverBeginsAnEpoch(t *testing.T) {
	primary := redistest.Start(t, redistest.Options{})
	standby := redistest.Start(t, redistest.Options{})
	a := join(t, primary, "a")
	logA := a.Open(conference)
	lease := mustLead(t, logA)
	base := a.write(sharedlog.Head{}, "p1", "in")
	base.Base, base.Lease = true, lease
	old := mustAppend(t, logA, base, sharedlog.Appended)
	last, err := logA.Tick(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	standby.ReplicaOf(primary)
	standby.Promote()
	b := join(t, standby, "b")
	logB := b.Open(conference)
	if got := mustLoad(t, logB, old); got.State != sharedlog.Absent {
		t.Errorf("load = %v", got)
	}
	mustAppend(t, logB, b.write(old, "p2", "in"), sharedlog.Missing)
	standby.Do("PEXPIRE", key+"lease", 60000)
	asked := time.Now()
	next := mustLead(t, logB)
	if took := time.Since(asked); took > 10*time.Second {
		t.Errorf("the lease of another Redis delays the next for %v", took)
	}
	if tick, err := logB.Tick(t.Context(), last); err != nil || tick <= last || next.Term <= lease.Term {
		t.Errorf("tick %d after %d, term %d after %d: %v", tick, last, next.Term, lease.Term, err)
	}
	base = b.write(old, "p2", "in")
	base.Base, base.Lease = true, next
	if head := mustAppend(t, logB, base, sharedlog.Appended); head.Epoch == old.Epoch {
		t.Errorf("head = %v after %v", head, old)
	}
}
