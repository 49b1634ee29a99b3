package replicas_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// upstream is the simulated API, which counts the requests of each replica.
type upstream struct {
	*simulator.Simulator

	server *httptest.Server

	mu       sync.Mutex
	requests []*request // guarded by mu
}

// request is one request of a replica; it has ended if ended is not zero.
type request struct {
	replica             int
	token, method, path string
	began, ended        time.Time
}

func newUpstream(tb testing.TB, o simulator.Options) *upstream {
	tb.Helper()
	u := &upstream{Simulator: simulator.New(o)}
	u.server = httptest.NewServer(http.HandlerFunc(u.serve))
	tb.Cleanup(u.server.Close)
	return u
}

func (u *upstream) serve(w http.ResponseWriter, r *http.Request) {
	token := r.Header.Get("X-Auth-Token")
	got := &request{replica: replicaOf(token), token: token, method: r.Method, path: r.URL.Path, began: time.Now()}
	u.mu.Lock()
	u.requests = append(u.requests, got)
	u.mu.Unlock()
	defer func() {
		u.mu.Lock()
		got.ended = time.Now()
		u.mu.Unlock()
	}()
	u.Handler().ServeHTTP(w, r)
}

// tokenOf is the upstream's token of a replica: each has another, as while one is rotated.
func tokenOf(replica int) string { return fmt.Sprintf("secret-upstream-token-of-%d", replica) }

func replicaOf(token string) (replica int) {
	if _, err := fmt.Sscanf(token, "secret-upstream-token-of-%d", &replica); err != nil {
		return -1
	}
	return replica
}

// lists returns the lists of a conference that began after a time, in order.
func (u *upstream) lists(conference string, after time.Time) []request {
	return u.matching(http.MethodGet, "/conferences/"+conference+"/participants", after)
}

// adds returns the adds of all conferences that began after a time.
func (u *upstream) adds(after time.Time) []request {
	return u.matching(http.MethodPost, "/participants", after)
}

// all returns all requests.
func (u *upstream) all() []request { return u.matching("", "", time.Time{}) }

func (u *upstream) matching(method, suffix string, after time.Time) []request {
	u.mu.Lock()
	defer u.mu.Unlock()
	var found []request
	for _, r := range u.requests {
		if (method == "" || r.method == method) && strings.HasSuffix(r.path, suffix) && r.began.After(after) {
			found = append(found, *r)
		}
	}
	return found
}

// poller returns the replica that listed a conference last, -1 for none.
func (u *upstream) poller(conference string) int {
	lists := u.lists(conference, time.Time{})
	if len(lists) == 0 {
		return -1
	}
	return lists[len(lists)-1].replica
}

// pollers returns the replicas that listed a conference after a time.
func (u *upstream) pollers(conference string, after time.Time) []int {
	var replicas []int
	for _, list := range u.lists(conference, after) {
		if !slices.Contains(replicas, list.replica) {
			replicas = append(replicas, list.replica)
		}
	}
	return replicas
}

// join adds a participant who keeps the status "connected".
func (u *upstream) join(conference string, n int) (id string) {
	return u.AddParticipant(conference, simulator.Participant{
		ID: fmt.Sprintf("visitor_%d", n), PhoneNumber: fmt.Sprintf("+1202556%04d", n), Name: fmt.Sprintf("Visitor %d", n),
		Status: "connected",
	}).ID
}
