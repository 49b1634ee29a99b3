package sharedpace_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/redact"
	"github.com/audian/participant-gateway/internal/replica/redisconn"
	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/replica/sharedpace"
	"github.com/audian/participant-gateway/internal/upstream"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests wait most of the time.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// callCount counts the calls of Redis by name.
type callCount struct {
	mu    sync.Mutex
	calls map[string]int
}

func (c *callCount) RedisCalled(_ context.Context, call, _ string, _ time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[call]++
}

func (c *callCount) of(call string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[call]
}

// request is one that the upstream received.
type request struct {
	at         time.Time
	method     string
	replica    int
	conference string
}

// upstreams receives the requests of all replicas.
type upstreams struct {
	mu   sync.Mutex
	came []request
	// answer may be nil.
	answer func(r *http.Request) (status int, body string, header http.Header)
}

func (u *upstreams) receive(replica int, r *http.Request) *http.Response {
	parts := strings.Split(r.URL.Path, "/")
	u.mu.Lock()
	u.came = append(u.came, request{time.Now(), r.Method, replica, parts[3]})
	answer := u.answer
	u.mu.Unlock()
	status, body, header := 200, `{"id":"part_1","status":"dialing"}`, http.Header{}
	if r.Method == http.MethodGet {
		body = `{"participants":[{"id":"part_1"}],"total":1}`
	}
	if answer != nil {
		if otherStatus, otherBody, h := answer(r); otherStatus != 0 {
			status, body, header = otherStatus, otherBody, h
		}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}
}

// requests returns the requests of a method since a time.
func (u *upstreams) requests(method string, since time.Time) []request {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(u.came), func(r request) bool { return r.method != method || r.at.Before(since) })
}

// late is how many requests more may fall into one second because a slow machine has delayed
// those before. Without a shared budget two or three times as many would.
const late = 3

// most is how many of the requests fall into any one second.
func most(requests []request) (most int) {
	first := 0
	for i, r := range requests {
		for r.at.Sub(requests[first].at) >= time.Second {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// count counts the requests by what of returns.
func count[K comparable](requests []request, of func(request) K) map[K]int {
	counts := map[K]int{}
	for _, r := range requests {
		counts[of(r)]++
	}
	return counts
}

func byReplica(r request) int       { return r.replica }
func byConference(r request) string { return r.conference }

// transport carries the requests of one replica.
type transport struct {
	*upstreams

	replica int
}

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.WroteHeaders != nil {
		trace.WroteHeaders()
	}
	return t.receive(t.replica, r), nil
}

// replica is a process of the gateway, with a network and a clock of its own.
type replica struct {
	*upstream.Account

	pace    *sharedpace.Pace
	network *redistest.Proxy
	conn    *redisconn.Conn
}

// cluster is some replicas with one Redis and one upstream.
type cluster struct {
	*upstreams

	redis    *redistest.Server
	replicas []*replica
	calls    callCount
}

// start starts replicas whose clocks differ by a minute (R12).
func start(t *testing.T, replicas int, pollRate float64) *cluster {
	t.Helper()
	c := &cluster{upstreams: &upstreams{}, redis: redistest.Start(t, redistest.Options{ACL: acl()})}
	c.calls.calls = map[string]int{}
	for n := range replicas {
		c.join(t, n, replicas, pollRate)
	}
	return c
}

const user, password = "gateway", "pw"

// acl is the user of docs/operations.md.
func acl() []string {
	return []string{"user " + user + " on >" + password + " " + strings.Join(redisconn.ACL("t:"), " ")}
}

func (c *cluster) join(t *testing.T, n, replicas int, pollRate float64) {
	t.Helper()
	network := redistest.NewProxy(t, c.redis.Addr())
	skew := time.Duration(n-1) * time.Minute
	conn, err := redisconn.Open(t.Context(), redisconn.Options{
		URL:    redact.Secret("redis://" + user + ":" + password + "@" + network.Addr()),
		Prefix: "t:", Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Now().Add(skew) },
		Observer: &c.calls,
	})
	if err != nil {
		t.Fatal(err)
	}
	pace := sharedpace.New(t.Context(), sharedpace.Options{
		Conn: conn, Account: "account", Replica: fmt.Sprint("replica-", n), Replicas: func() int { return replicas },
		PollRate: pollRate, Logger: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(func() {
		pace.Close()
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	account, err := upstream.New(audian.StaticToken("token"), participant.Fingerprint{1}, upstream.Options{
		BaseURL: &url.URL{Scheme: "https", Host: "upstream.test", Path: "/v2"}, Transport: transport{c.upstreams, n},
		PollRate: pollRate, Shared: pace.Shared(),
	})
	if err != nil {
		t.Fatal(err)
	}
	c.replicas = append(c.replicas, &replica{account, pace, network, conn})
}

// add adds a participant.
func (r *replica) add(ctx context.Context, conference string) error {
	s, err := r.Reserve(ctx, conference, "")
	if err != nil {
		return err
	}
	defer s.Release()
	if deadline, bounded := ctx.Deadline(); bounded {
		s.SetDeadline(deadline)
	}
	if err := s.Wait(ctx); err != nil {
		return err
	}
	_, err = s.Send(context.WithoutCancel(ctx), participant.Add{})
	return err
}

// load adds participants to the conferences of a replica, with some calls each at a time, until ctx
// ends.
func (r *replica) load(ctx context.Context, running *sync.WaitGroup, calls int, conferences ...string) {
	for _, conference := range conferences {
		for range calls {
			running.Go(func() {
				for ctx.Err() == nil {
					_ = r.add(ctx, conference)
				}
			})
		}
	}
}

// poll lists a conference like a feed until ctx ends.
func (r *replica) poll(ctx context.Context, running *sync.WaitGroup, conference string) {
	source := r.OpenSource(ctx, conference)
	running.Go(func() {
		next := time.Now()
		for first := true; ctx.Err() == nil; first = false {
			select {
			case <-time.After(time.Until(next)):
			case <-ctx.Done():
			}
			if source.Wait(ctx, first) != nil {
				return
			}
			began := time.Now()
			_, err := source.List(ctx)
			source.RecordOutcome(err)
			next = began.Add(source.Pace(time.Second, time.Since(began)).Share)
		}
	})
}

// elapse waits while rates are measured.
func elapse(duration time.Duration) { <-time.NewTimer(duration).C }

// within waits for a condition, which must hold within a limit.
func within(t *testing.T, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline, tick := time.NewTimer(limit), time.NewTicker(5*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline.C:
			t.Fatalf("not within %s: %s", limit, what)
		case <-tick.C:
		}
	}
}
