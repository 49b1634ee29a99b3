package server_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/simulator"
)

// ready returns the status of /readyz and what it says.
func (r *running) ready() (status int, text string) {
	r.t.Helper()
	response := r.get(r.browser(nil), "http://"+r.AdminAddr()+"/readyz")
	body, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestR08_AtItsStartAProcessIsReadyWhenRedisIs(t *testing.T) {
	redis := redistest.Start(t, redistest.Options{Password: "open-sesame"})
	redis.Kill()
	r := run(t, "--redis-url="+redis.URL(), "--auth=none")
	r.eventually("the process serves", func() bool { _, text := r.ready(); return !strings.HasPrefix(text, "not ready\n") })
	status, text := r.ready()
	if status != http.StatusServiceUnavailable || !strings.Contains(text, "Redis cannot be reached") || strings.Contains(text, "open-sesame") {
		t.Errorf("without Redis: %d %q", status, text)
	}
	redis.Run()
	r.eventually("ready", func() bool { status, _ := r.ready(); return status == http.StatusOK })
	redis.Kill()
	r.eventually("Redis is away", func() bool { return r.metric("gateway_redis_available") == "gateway_redis_available 0" })
	if status, text := r.ready(); status != http.StatusOK {
		t.Errorf("later, while Redis is away: %d %q", status, text)
	}
}

// TestR08_RedisAway also lets an add and a list through.
func TestR08_RedisAway(t *testing.T) {
	redis := redistest.Start(t, redistest.Options{})
	r := run(t, "--redis-url="+redis.URL(), "--auth=none")
	stream := r.watchSnapshot()
	next := func() *v2.WatchParticipantsResponse {
		t.Helper()
		message, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		return message
	}
	redis.Pause()
	paused := time.Now()
	for {
		if checkpoint := next().GetCheckpoint(); checkpoint.GetFreshness() == v2.Freshness_FRESHNESS_STALE {
			if took := time.Since(paused); checkpoint.GetStaleReason() != "SHARED_STATE_UNAVAILABLE" || took > 5*time.Second {
				t.Errorf("after %v: %v", took, checkpoint)
			}
			break
		}
	}
	if _, err := r.dial(nil).ListParticipants(r.context(), &v2.ListParticipantsRequest{ConferenceId: demoConference}); err != nil {
		t.Errorf("list: %v", err)
	}
	redis.Continue()
	for fresh := false; !fresh; {
		fresh = next().GetCheckpoint().GetFreshness() == v2.Freshness_FRESHNESS_FRESH
	}
}

func TestR04_AReplicaThatStopsGivesItsConferencesUpFirst(t *testing.T) {
	redis, lists := redistest.Start(t, redistest.Options{}), make(chan time.Time, 100)
	simulated := simulator.New(simulator.Options{Logger: slog.New(slog.DiscardHandler)}).Handler()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			lists <- time.Now()
		}
		simulated.ServeHTTP(w, r)
	}))
	defer upstream.Close()
	start := func() *running {
		return runArgs(t, "--redis-url="+redis.URL(), "--auth=none", "--drain-delay=5s", token,
			"--upstream-url="+upstream.URL+"/v2", "--poll-interval=500ms", "--max-poll-interval=500ms")
	}
	first := start()
	firstStream := first.watchSnapshot()
	second := start()
	secondStream := second.watchSnapshot()
	if first.metric("gateway_conferences{role=\"polled\"}") != "gateway_conferences{role=\"polled\"} 1" {
		t.Fatal("the first replica does not poll")
	}
	<-lists
	last := <-lists
	go first.stop()
	var next time.Time
	first.eventually("it gave its conference up", func() bool {
		return second.metric("gateway_conferences{role=\"polled\"}") == "gateway_conferences{role=\"polled\"} 1"
	})
	for range 4 {
		next = <-lists
		if gap := next.Sub(last); gap > 800*time.Millisecond {
			t.Errorf("a list came %v after the last one", gap)
		}
		last = next
	}
	for _, stream := range []grpc.ServerStreamingClient[v2.WatchParticipantsResponse]{firstStream, secondStream} {
		if err := stream.Context().Err(); err != nil {
			t.Errorf("a stream ended: %v", err)
		}
	}
}

// watchSnapshot opens a stream and waits for its snapshot.
func (r *running) watchSnapshot() grpc.ServerStreamingClient[v2.WatchParticipantsResponse] {
	r.t.Helper()
	stream, err := r.dial(nil).WatchParticipants(r.context(), &v2.WatchParticipantsRequest{ConferenceId: demoConference})
	if err != nil {
		r.t.Fatal(err)
	}
	message, err := stream.Recv()
	if err != nil || message.GetSnapshot() == nil {
		r.t.Fatalf("got %v, %v", message, err)
	}
	return stream
}
