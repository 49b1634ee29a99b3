package proxies

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/audian/participant-gateway/client"
	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/test/watchclient"
)

func TestProxies(t *testing.T) {
	for _, p := range proxies {
		t.Run(p.name, func(t *testing.T) {
			s := newSite(t, p)
			t.Run("nothing is buffered", s.testDelivery)
			t.Run("no caller sees an error during a drain", s.testDrain)
		})
	}
}

// soon is how long a proxy may hold back a message. A machine under load may be late, so one stream of three must be in time.
const (
	soon     = time.Second
	attempts = 3
)

// testDelivery checks that the first message and a change reach a watcher soon.
func (s *site) testDelivery(t *testing.T) {
	for name, open := range watchclient.Transports {
		var first, change []time.Duration
		for attempt := range attempts {
			f, c := s.deliver(t, open, name+string(rune('a'+attempt)))
			first, change = append(first, f), append(change, c)
		}
		t.Logf("%s: the first message after %v, a change after %v", name, first, change)
		if slices.Min(first) > soon || slices.Min(change) > soon {
			t.Errorf("%s: the first message came after %v, a change after %v", name, first, change)
		}
	}
}

// deliver opens a stream, adds a participant, and returns how long the first message and the change took.
func (s *site) deliver(t *testing.T, open watchclient.Transport, added string) (first, change time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	began := time.Now()
	next, err := open(ctx, s.gateway(), watchclient.Request{Conference: "conf"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := next(); err != nil {
		t.Fatal(err)
	}
	first = time.Since(began)
	s.add(added)
	began = time.Now()
	for {
		message, err := next()
		if err != nil {
			t.Fatal(err)
		}
		if contains(message, added) {
			return first, time.Since(began)
		}
	}
}

// gateway returns the site as watchclient reaches it.
func (s *site) gateway() watchclient.Gateway {
	return watchclient.Gateway{GRPC: s.grpc().Service(), HTTP: s.http(), HTTPAddr: httpName}
}

// contains reports whether a message has a participant with a name.
func contains(message watchclient.Message, name string) bool {
	if message.Snapshot != nil {
		return slices.ContainsFunc(message.Snapshot.Participants, func(m watchclient.Member) bool { return m.Name == name })
	}
	return message.Changes != nil &&
		slices.ContainsFunc(message.Changes.Changes, func(c watchclient.Change) bool { return c.Member.Name == name })
}

// users are people who use the site while a replica drains. Each error that one sees fails the test.
type users struct {
	t    *testing.T
	site *site
	ctx  context.Context
	// done is how many watchers have got the last participant, moved how many streams had to begin again.
	done, moved atomic.Int32
	running     sync.WaitGroup
}

const (
	watchersEach = 4
	last         = "last"
)

func (s *site) testDrain(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	u := &users{t: t, site: s, ctx: ctx}
	var ready sync.WaitGroup
	for range watchersEach {
		ready.Add(2)
		u.running.Go(func() { u.watchSSE(ready.Done) })
		u.running.Go(func() { u.watchGRPC(ready.Done) })
	}
	ready.Wait()
	u.running.Go(u.callREST)
	u.running.Go(u.callGRPC)
	if err := s.replicas[0].Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.replicas[0].exited:
	case <-time.After(timeout):
		t.Fatal("the replica does not end")
	}
	s.add(last)
	eventually(t, "all watchers get the last participant", func() bool { return u.done.Load() == 2*watchersEach || t.Failed() })
	if u.moved.Load() == 0 {
		t.Error("no stream was at the replica that drained")
	}
	cancel()
	u.running.Wait()
}

// watchSSE watches as an EventSource does: it opens the stream again with the last id.
func (u *users) watchSSE(ready func()) {
	ready = sync.OnceFunc(ready)
	defer ready()
	gateway, token := u.site.gateway(), ""
	for u.ctx.Err() == nil {
		next, err := watchclient.Transports["SSE"](u.ctx, gateway, watchclient.Request{Conference: "conf", Token: token})
		for err == nil {
			var message watchclient.Message
			if message, err = next(); err != nil {
				break
			}
			ready()
			if message.Snapshot != nil && token != "" {
				u.t.Errorf("SSE: a snapshot in place of changes: %s", message.Snapshot.Reason)
			}
			if contains(message, last) && message.Changes != nil && message.Changes.Changes[0].Kind == "added" {
				u.done.Add(1)
			}
			if message.Token != "" {
				token = message.Token
			}
		}
		if u.ctx.Err() != nil {
			return
		}
		if watchclient.ReasonOf(err) != "DRAINING" {
			u.t.Errorf("SSE: the stream ended with %v", err)
			return
		}
		u.moved.Add(1)
	}
}

// watchGRPC watches with our client, whose users see a short interruption.
func (u *users) watchGRPC(ready func()) {
	ready = sync.OnceFunc(ready)
	defer ready()
	for state, err := range u.site.grpc().Watch(u.ctx, "conf") {
		if err != nil {
			u.t.Errorf("gRPC: %v", err)
			return
		}
		ready()
		switch state.Kind {
		case client.KindDisconnected:
			if state.Err.Reason != "DRAINING" {
				u.t.Errorf("gRPC: the stream ended with %v", state.Err)
			}
			u.moved.Add(1)
		case client.KindSnapshot:
			if state.SnapshotReason != v2.SnapshotReason_SNAPSHOT_REASON_INITIAL {
				u.t.Errorf("gRPC: a snapshot in place of changes: %v", state.SnapshotReason)
			}
		case client.KindChanges:
			for _, change := range state.Changes {
				if change.GetKind() == v2.ChangeKind_CHANGE_KIND_ADDED && change.GetParticipant().GetName() == last {
					u.done.Add(1)
				}
			}
		case client.KindFreshness:
		case client.KindEnd:
			u.t.Error("gRPC: the conference ended")
		}
	}
}

// calls makes a call again and again, and stops at the first that fails.
func (u *users) calls(call func() bool) {
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for call() {
		select {
		case <-pause.C:
		case <-u.ctx.Done():
			return
		}
	}
}

func (u *users) callREST() {
	rest := u.site.http()
	u.calls(func() bool {
		status, body, err := list(u.ctx, rest)
		if u.ctx.Err() == nil && (err != nil || status != http.StatusOK) {
			u.t.Errorf("REST: %d, %v: %s", status, err, body)
			return false
		}
		return true
	})
}

func (u *users) callGRPC() {
	service := u.site.grpc().Service()
	u.calls(func() bool {
		_, err := service.ListParticipants(u.ctx, &v2.ListParticipantsRequest{ConferenceId: "conf"})
		if u.ctx.Err() == nil && err != nil {
			u.t.Errorf("gRPC: %v", err)
			return false
		}
		return true
	})
}
