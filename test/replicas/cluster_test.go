package replicas_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/test/skewed"
	"github.com/audian/participant-gateway/test/watchclient"
)

// options describe a cluster.
type options struct {
	// alone starts the replicas without Redis.
	alone     bool
	simulator simulator.Options
	redis     redistest.Options
	// user is the user of Redis and the password, NAME:PASSWORD; empty: the default user.
	user  string
	flags []string
	// shared is the Redis of another cluster, used in place of an own one.
	shared *redistest.Server
	// env replaces the upstream's token of each replica.
	env []string
	// skew is how many seconds the clock of each replica is ahead; nil: the clocks are right.
	skew []int
}

// interval is the poll interval of clusters without flags of their own: always the same, so that
// tests know when the next list is due.
const interval = 500 * time.Millisecond

// cluster are replicas of the gateway with one upstream and one Redis.
type cluster struct {
	t        testing.TB
	options  options
	upstream *upstream
	redis    *redistest.Server
	replicas []*replica
	order    *watchclient.OrderCheck

	mu       sync.Mutex
	watchers []*watcher
}

// replica is one place for a process: a restart puts another process there.
type replica struct {
	*process

	cluster *cluster
	number  int
	// network is between the process and Redis.
	network *redistest.Proxy
}

// start starts a cluster, and returns when all replicas are ready.
func start(tb testing.TB, replicas int, o options) *cluster {
	tb.Helper()
	c := &cluster{t: tb, options: o, upstream: newUpstream(tb, o.simulator), order: watchclient.NewOrderCheck()}
	if c.redis = o.shared; c.redis == nil && !o.alone {
		c.redis = redistest.Start(tb, o.redis)
	}
	for n := range replicas {
		c.replicas = append(c.replicas, &replica{cluster: c, number: n})
	}
	for _, r := range c.replicas {
		if !o.alone {
			r.network = redistest.NewProxy(tb, c.redis.Addr())
		}
		r.launch()
	}
	for _, r := range c.replicas {
		r.awaitReady()
	}
	return c
}

// launch starts a process.
func (r *replica) launch() {
	c := r.cluster
	flags := []string{
		"--upstream-url=" + c.upstream.server.URL + "/v2", "--drain-timeout=3s", "--poll-rate=200",
		"--poll-interval=" + interval.String(), "--max-poll-interval=" + interval.String(),
	}
	if r.network != nil {
		flags = append(flags, "--redis-url="+c.redisURL(r.network.Addr()))
	}
	env := c.options.env
	if env == nil {
		env = []string{"AUDIAN_AUTH_TOKEN=" + tokenOf(r.number)}
	}
	binary := program
	if c.options.skew != nil {
		binary, env = skewedProgram(c.t), append(env, fmt.Sprintf("%s=%d", skewed.Variable, c.options.skew[r.number]))
	}
	r.process = launch(c.t, binary, env, append(flags, c.options.flags...)...)
}

// redisURL is the URL of Redis at an address.
func (c *cluster) redisURL(addr string) string {
	if c.options.user != "" {
		return "redis://" + c.options.user + "@" + addr
	}
	return c.redis.URLAt(addr)
}

// restart starts another process after the last one has ended.
func (r *replica) restart() {
	r.cluster.t.Helper()
	<-r.exited
	r.launch()
	r.awaitReady()
}

func (r *replica) awaitReady() {
	r.cluster.t.Helper()
	eventually(r.cluster.t, fmt.Sprintf("replica %d is ready", r.number), r.ready)
}

// context bounds a call.
func (c *cluster) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	c.t.Cleanup(cancel)
	return ctx
}

// add adds a participant with the n-th number.
func (r *replica) add(conference string, n int, requestID string) (*v2.Participant, error) {
	response, err := r.GRPC.AddParticipant(r.cluster.context(), &v2.AddParticipantRequest{
		ConferenceId: conference, PhoneNumber: phone(n), Name: fmt.Sprintf("Caller %d", n), RequestId: requestID,
	})
	return response.GetParticipant(), err
}

func phone(n int) string { return fmt.Sprintf("+1202555%04d", n) }

func (r *replica) remove(conference, id string) error {
	_, err := r.GRPC.RemoveParticipant(r.cluster.context(), &v2.RemoveParticipantRequest{ConferenceId: conference, ParticipantId: id})
	return err
}

// others returns the replicas other than one.
func (c *cluster) others(than int) []*replica {
	return slices.DeleteFunc(slices.Clone(c.replicas), func(r *replica) bool { return r.number == than })
}

// truth returns the upstream's roster of a conference.
func (c *cluster) truth(conference string) watchclient.Roster {
	truth := watchclient.Roster{}
	for _, p := range c.upstream.Participants(conference) {
		truth[p.ID] = watchclient.Member{
			ID: p.ID, Phone: p.PhoneNumber, Name: p.Name, Role: p.Role, Status: p.Status, Muted: p.Muted,
			Joined: watchclient.InstantOf(p.JoinedAt.Truncate(time.Second)), // The upstream writes whole seconds.
		}
	}
	return truth
}

// converge waits until all open watchers hold the upstream's roster, at one position for each
// conference, and are fresh.
func (c *cluster) converge() {
	c.t.Helper()
	var differs string
	for late := time.Now().Add(timeout); ; <-time.After(10 * time.Millisecond) {
		if differs = c.difference(); differs == "" {
			return
		}
		if time.Now().After(late) {
			c.t.Fatalf("no agreement: %s", differs)
		}
	}
}

// difference describes a watcher that does not hold what others or the upstream have.
func (c *cluster) difference() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	tokens := map[string]string{}
	for _, w := range c.watchers {
		has, truth := w.state(), c.truth(w.conference)
		switch other := tokens[w.conference]; {
		case !has.open:
		case !maps.Equal(has.held, truth):
			return fmt.Sprintf("%s holds\n%v, the upstream has\n%v", w, has.held, truth)
		case has.stale:
			return w.String() + " is stale"
		case other != "" && other != has.token:
			return fmt.Sprintf("%s is at %s, another at %s", w, has.token, other)
		default:
			tokens[w.conference] = has.token
		}
	}
	return ""
}
