package sharedlog_test

import (
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/replica/redisconn"
	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/replica/sharedlog"
)

func TestR09_ScriptsNeedOnlyTheListedCommands(t *testing.T) {
	user := "user gateway on >secret " + strings.Join(redisconn.ACL("pgw:"), " ")
	server := redistest.Start(t, redistest.Options{ACL: []string{user}})
	joinWithACL := func(id string) *replica {
		r := &replica{observer: &observer{refused: map[sharedlog.Outcome]int{}}}
		r.use(t, dial(t, "redis://gateway:secret@"+server.Addr()), id)
		return r
	}
	r := joinWithACL("a")
	log := r.Open(conference)
	c, _ := follow(t, log)
	lease := mustLead(t, log)
	joinWithACL("b").candidates(t, conference)
	if _, err := log.Tick(t.Context(), 0); err != nil {
		t.Error(err)
	}
	base := r.write(sharedlog.Head{}, "p1", "in")
	base.Base, base.Lease = true, lease
	head := mustAppend(t, log, base, sharedlog.Appended)
	list := r.write(head, "p2", "in")
	list.Lease, list.Marks, list.Status = lease, []byte("m"), []byte("s")
	head = mustAppend(t, log, list, sharedlog.Appended)
	silent := r.write(head, "p3", "in")
	silent.Floor, silent.Forgotten = 2, []string{"p1"}
	head = mustAppend(t, log, silent, sharedlog.Appended)
	c.reach(t, head)
	if got := mustLoad(t, log, sharedlog.Head{}); len(got.Members) != 2 || len(got.Entries) != 1 {
		t.Errorf("log = %v", got)
	}
	eventually(t, "Run announces and counts", func() bool { return len(keysOf(t, server)) == 7 })
	if err := lease.Release(t.Context()); err != nil {
		t.Error(err)
	}
	server.Do("HSET", "pgw:log1:u1:leases", "gone", "5 1")
	eventually(t, "Run forgets replicas that are gone", func() bool {
		return !server.Client().HExists(t.Context(), "pgw:log1:u1:leases", "gone").Val()
	})
	if denied := server.Do("ACL", "LOG").([]any); len(denied) != 0 {
		t.Errorf("denied: %v", denied)
	}
}
