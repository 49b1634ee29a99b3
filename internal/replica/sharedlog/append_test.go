package sharedlog_test

import (
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/replica/sharedlog"
)

func TestR02_AppendComparesTheHead(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a, b := join(t, server, "a"), join(t, server, "b")
	logA, logB := a.Open(conference), b.Open(conference)

	mustAppend(t, logA, a.write(sharedlog.Head{}, "p1", "in"), sharedlog.Missing)
	base := begin(t, a, logA, map[string][]byte{"p1": []byte("in")})
	if base.Seq != 1 || base.Commits != 1 || base.Epoch == (sharedlog.Epoch{}) {
		t.Fatalf("base = %v", base)
	}
	second := mustAppend(t, logB, b.write(base, "p2", "in"), sharedlog.Appended)
	if want := (sharedlog.Head{Epoch: base.Epoch, Seq: 2, Commits: 2}); second != want {
		t.Fatalf("head = %v, want %v", second, want)
	}
	for name, expected := range map[string]sharedlog.Head{
		"behind": base, "none": {}, "ahead": {Epoch: base.Epoch, Seq: 3, Commits: 3}, "other epoch": {Epoch: sharedlog.Epoch{1}, Seq: 2, Commits: 2},
	} {
		if head := mustAppend(t, logA, a.write(expected, "p3", "in"), sharedlog.Conflict); head != second {
			t.Errorf("%s: conflict at %v, want %v", name, head, second)
		}
	}
	// A new log replaces none that others have continued.
	late := a.write(base, "p1", "in")
	late.Base = true
	mustAppend(t, logA, late, sharedlog.Conflict)
	if got := mustLoad(t, logA, sharedlog.Head{}); string(got.Members["p2"]) != "in" || got.Head != second {
		t.Errorf("log = %v", got)
	}
}

func TestR02_OneBatchIsAppendedOnce(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a := join(t, server, "a")
	log := a.Open(conference)
	base := begin(t, a, log, nil)
	c, _ := follow(t, log)

	// Redis gets the request, and its answer is lost.
	lost := a.write(base, "p1", "in")
	a.proxy.Delay(300 * time.Millisecond)
	failed := make(chan error, 1)
	go func() {
		_, err := log.Append(t.Context(), lost)
		failed <- err
	}()
	eventually(t, "Redis has the batch", func() bool {
		return server.Client().HGet(t.Context(), "pgw:log1:u1:conf:head", "commits").Val() == "2"
	})
	a.proxy.Cut()
	if err := <-failed; err == nil {
		t.Fatal("the answer was not lost")
	}
	a.proxy.Restore()
	eventually(t, "Redis can be used", a.conn.Available)

	want := sharedlog.Head{Epoch: base.Epoch, Seq: 2, Commits: 2}
	for range 2 {
		if head := mustAppend(t, log, lost, sharedlog.Repeated); head != want {
			t.Errorf("head = %v, want %v", head, want)
		}
	}
	c.reach(t, want)
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.updates[len(c.updates)-1]
	if s := last.Snapshot; s == nil || len(s.Entries) != 1 || s.Entries[0].ID != lost.ID {
		t.Errorf("the follower does not recognise its entry: %+v", last)
	}
}

func TestR03_OldListsAreRefused(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a := join(t, server, "a")
	log := a.Open(conference)
	lease := mustLead(t, log)
	list := func(expected sharedlog.Head, lease *sharedlog.Lease) sharedlog.Batch {
		return sharedlog.Batch{ID: a.NewID(), Expected: expected, Lease: lease, Status: []byte("fresh")}
	}
	base := list(sharedlog.Head{}, lease)
	base.Base = true
	head := mustAppend(t, log, base, sharedlog.Appended)
	head = mustAppend(t, log, list(head, lease), sharedlog.Appended)
	if head.Seq != 1 || head.Commits != 2 {
		t.Errorf("a list without a change took a number: %v", head)
	}
	set := func(value string) func() {
		return func() { server.Do("SET", "pgw:log1:u1:conf:lease", value) }
	}
	run := server.Do("EVAL", "return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')", 0).(string)
	term := strconv.FormatUint(lease.Term, 10)
	for name, change := range map[string]func(){
		"expired":                  func() { server.Do("DEL", "pgw:log1:u1:conf:lease") },
		"another replica's":        set(run + " b " + term),
		"another term":             set(run + " a " + strconv.FormatUint(lease.Term+1, 10)),
		"a longer term":            set(run + " a " + term + "0"),
		"of another Redis process": set("0123456789abcdef0123456789abcdef01234567 a " + term),
		"not text":                 func() { server.Do("DEL", "pgw:log1:u1:conf:lease"); server.Do("LPUSH", "pgw:log1:u1:conf:lease", "x") },
	} {
		server.Do("DEL", "pgw:log1:u1:conf:lease")
		change()
		mustAppend(t, log, list(head, lease), sharedlog.Fenced)
		base := list(head, lease)
		base.Base = true
		if got := mustAppend(t, log, base, sharedlog.Fenced); got != head {
			t.Errorf("%s: head = %v", name, got)
		}
	}
	server.Do("DEL", "pgw:log1:u1:conf:lease")
	set(run + " a " + term)()
	mustAppend(t, log, list(head, lease), sharedlog.Appended)
	if a.observer.refused[sharedlog.Fenced] != 12 {
		t.Errorf("refused = %v", a.observer.refused)
	}
}

func TestR07_OldWritesAreRefused(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a := join(t, server, "a")
	log := a.Open(conference)
	head := begin(t, a, log, nil)
	for age, want := range map[time.Duration]sharedlog.Outcome{
		-time.Minute: sharedlog.Appended, 0: sharedlog.Appended, 4 * time.Second: sharedlog.Appended,
		5500 * time.Millisecond: sharedlog.TooOld, time.Hour: sharedlog.TooOld,
	} {
		b := a.write(head, "p1", age.String())
		b.Answered = b.Answered.Add(-age)
		if got := mustAppend(t, log, b, want); want == sharedlog.Appended {
			head = got
		}
	}
	if a.observer.refused[sharedlog.TooOld] != 2 {
		t.Errorf("refused = %v", a.observer.refused)
	}
}

func TestR07_WriteWaitsInAStoppedRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	a := join(t, server, "a")
	log := a.Open(conference)
	head := begin(t, a, log, nil)
	old := a.write(head, "p1", "in")
	server.Pause()
	result, err := log.Append(t.Context(), old)
	if err == nil {
		t.Fatalf("result = %v", result)
	}
	<-time.After(5100*time.Millisecond - a.conn.Now().Sub(old.Answered))
	server.Continue()
	eventually(t, "Redis can be used", a.conn.Available)
	mustAppend(t, log, old, sharedlog.TooOld)
	if got := mustLoad(t, log, sharedlog.Head{}); got.Head != head {
		t.Errorf("the queued write was appended: %v", got)
	}
}

func TestR09_HistoryIsTrimmed(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a := join(t, server, "a")
	log := a.Open(conference)
	head := begin(t, a, log, nil)
	for i := range 6 {
		head = mustAppend(t, log, a.write(head, "p1", strconv.Itoa(i)), sharedlog.Appended)
	}
	silent := a.write(head, "p2", "missed a list")
	silent.Changes, silent.Floor = 0, 3
	head = mustAppend(t, log, silent, sharedlog.Appended)
	got := mustLoad(t, log, sharedlog.Head{})
	if got.Floor != 3 || len(got.Entries) != 4 || got.Entries[0].Seq != 4 || got.Head.Seq != 8 {
		t.Errorf("floor %d, head %v, entries %v", got.Floor, got.Head, got.Entries)
	}
	late := mustLoad(t, log, sharedlog.Head{Epoch: head.Epoch, Seq: 5, Commits: 5})
	if len(late.Entries) != 2 || late.Entries[0].Seq != 6 || string(late.Entries[0].Entry) != "p1=4" || late.Entries[0].Changes != 1 {
		t.Errorf("entries after 5 = %v", late.Entries)
	}
	// A floor never goes back, and one beyond the head drops what there is.
	for _, test := range []struct{ floor, want uint64 }{{1, 3}, {99, 10}, {4, 10}} {
		b := a.write(head, "p2", "x")
		b.Changes, b.Floor = 0, test.floor
		head = mustAppend(t, log, b, sharedlog.Appended)
		if got := mustLoad(t, log, sharedlog.Head{}); got.Floor != test.want {
			t.Errorf("floor = %d, want %d", got.Floor, test.want)
		}
	}
}

func TestR09_OldEntriesAreDropped(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a := join(t, server, "a")
	log := a.Open(conference)
	head := begin(t, a, log, nil)
	for i := range 10 {
		head = mustAppend(t, log, a.write(head, "p1", strconv.Itoa(i)), sharedlog.Appended)
	}
	// Ten minutes later: the first nine entries get an earlier time.
	server.Do("EVAL", `
		local items = redis.call('XRANGE', KEYS[1], '-', '+')
		redis.call('DEL', KEYS[1])
		for i, item in ipairs(items) do
			if i < 10 then item[2][2] = string.format('%.0f', item[2][2] - 601000000) end
			redis.call('XADD', KEYS[1], item[1], unpack(item[2]))
		end`, 1, "pgw:log1:u1:conf:entries")
	// Each commit drops up to four.
	for _, want := range []int{6, 2, 1, 1} {
		b := a.write(head, "p2", "x")
		b.Changes = 0
		head = mustAppend(t, log, b, sharedlog.Appended)
		if got := mustLoad(t, log, sharedlog.Head{}); len(got.Entries) != want || got.Floor != uint64(11-want) {
			t.Errorf("%d entries after %d are kept, want %d", len(got.Entries), got.Floor, want)
		}
	}
}

func TestR09_EveryKeyExpires(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a, b := join(t, server, "a"), join(t, server, "b")
	logA, logB := a.Open(conference), b.Open(conference)
	c, _ := follow(t, logA)
	lease := mustLead(t, logA)
	b.candidates(t, conference)
	if _, err := logB.Tick(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	base := a.write(sharedlog.Head{}, "p1", "in")
	base.Base = true
	head := mustAppend(t, logA, base, sharedlog.Appended)
	list := a.write(head, "p2", "in")
	list.Lease, list.Marks, list.Status = lease, []byte("marks"), []byte("status")
	head = mustAppend(t, logA, list, sharedlog.Appended)
	c.reach(t, head)
	eventually(t, "all keys exist", func() bool { return len(keysOf(t, server)) == 7 })

	for key, life := range keysOf(t, server) {
		if life <= 0 || life > 14*time.Minute {
			t.Errorf("%s expires in %v", key, life)
		}
	}
	// A list extends the life of the log, a write does not.
	logKeys := []string{"head", "members", "entries", "clock"}
	for _, key := range logKeys {
		server.Do("PEXPIRE", "pgw:log1:u1:conf:"+key, 60000)
	}
	if _, err := logB.Tick(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	head = mustAppend(t, logB, b.write(head, "p3", "in"), sharedlog.Appended)
	for _, key := range logKeys {
		if life := keysOf(t, server)["pgw:log1:u1:conf:"+key]; life > time.Minute || life <= 0 {
			t.Errorf("after a write %s expires in %v", key, life)
		}
	}
	mustAppend(t, logA, sharedlog.Batch{ID: a.NewID(), Expected: head, Lease: lease, Status: []byte("s")}, sharedlog.Appended)
	for _, key := range logKeys {
		if life := keysOf(t, server)["pgw:log1:u1:conf:"+key]; life < 13*time.Minute {
			t.Errorf("after a list %s expires in %v", key, life)
		}
	}
}

// keysOf returns all keys and how long they live; negative for ever.
func keysOf(t *testing.T, server *redistest.Server) map[string]time.Duration {
	t.Helper()
	keys := map[string]time.Duration{}
	all, err := server.Client().Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range all {
		keys[key] = server.Client().PTTL(t.Context(), key).Val()
	}
	maps.DeleteFunc(keys, func(key string, _ time.Duration) bool { return key == "pgw:try" })
	return keys
}

func TestR07_CommitsAreOnTheLogicalClock(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	a, b := join(t, server, "a"), join(t, server, "b")
	logA, logB := a.Open(conference), b.Open(conference)
	lease := mustLead(t, logA)
	last := lease.Term
	tick := func(got uint64, err error) {
		t.Helper()
		if err != nil || got <= last {
			t.Errorf("logical time %d after %d: %v", got, last, err)
		}
		last = got
	}
	appendAt := func(log *sharedlog.Log, batch sharedlog.Batch) sharedlog.Head {
		t.Helper()
		result, err := log.Append(t.Context(), batch)
		if result.Outcome != sharedlog.Appended {
			t.Errorf("outcome = %q", result.Outcome)
		}
		tick(result.Tick, err)
		return result.Head
	}
	base := a.write(sharedlog.Head{}, "p1", "in")
	base.Base, base.ListTick, base.Clock = true, 7, last+uint64(time.Hour.Microseconds())
	last = base.Clock
	head := appendAt(logA, base)
	if got := mustLoad(t, logB, sharedlog.Head{}).ListTick; got != 7 {
		t.Errorf("the last list was at %d, want 7", got)
	}
	tick(logB.Tick(t.Context(), 0))
	c, _ := follow(t, logB)
	head = appendAt(logA, sharedlog.Batch{ID: a.NewID(), Expected: head, Lease: lease, Listed: true, Status: []byte("s")})
	listed := last
	tick(logB.Tick(t.Context(), 0))
	head = appendAt(logB, b.write(head, "p2", "in"))
	c.reach(t, head)
	if got := mustLoad(t, logB, sharedlog.Head{}).ListTick; got != listed {
		t.Errorf("the last list was at %d, want %d", got, listed)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.updates) != 3 || c.updates[1].Commit.Tick != listed || c.updates[2].Commit.Tick != last {
		t.Errorf("updates = %+v", c.updates)
	}
}
