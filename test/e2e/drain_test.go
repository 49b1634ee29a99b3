package e2e_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
)

const (
	streamsEach = 500
	connections = 5
	// drainTimeout is far longer than a drain takes, on any machine: one that lasts as
	// long was cut.
	drainTimeout = 45 * time.Second
)

func TestW16_DrainWithAThousandStreams(t *testing.T) {
	g := start(t, simulator.Options{}, "--drain-timeout", drainTimeout.String())
	watchers := g.crowd()
	health, err := healthv1.NewHealthClient(g.conn).Watch(g.context(), &healthv1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	reflection, err := reflectionv1.NewServerReflectionClient(g.conn).ServerReflectionInfo(g.context())
	if err != nil {
		t.Fatal(err)
	}
	unary := g.unaryInFlight()

	began := time.Now()
	g.stop()
	<-watchers[0].done
	g.isClosed()
	for _, w := range watchers {
		<-w.done
		isDrained(t, w)
	}
	if err := <-unary; err != nil {
		t.Errorf("a call under way: %v", err)
	}
	for err == nil {
		_, err = health.Recv()
	}
	isDrainedStatus(t, "health watch", err)
	_, err = reflection.Recv()
	isDrainedStatus(t, "reflection", err)
	if err := <-g.ran; err != nil {
		t.Errorf("run: %v", err)
	}
	if took := time.Since(began); took >= drainTimeout {
		t.Errorf("took %s: cut, not drained", took)
	}
}

// crowd opens a thousand streams, half of them gRPC over a few connections.
func (g *gateway) crowd() []*watcher {
	g.t.Helper()
	var clients []v2.ParticipantServiceClient
	for range connections {
		clients = append(clients, v2.NewParticipantServiceClient(g.dial()))
	}
	watchers := make([]*watcher, 2*streamsEach)
	var opening sync.WaitGroup
	for n := range streamsEach {
		opening.Go(func() {
			via := *g
			via.client = clients[n%connections]
			watchers[2*n] = via.watchGRPC(&v2.WatchParticipantsRequest{})
		})
		opening.Go(func() { watchers[2*n+1] = g.watchHTTP("text/event-stream", "") })
	}
	opening.Wait()
	for _, w := range watchers {
		// On a slow machine a stream may have reached its age before.
		g.eventually("a first message, or the end", func() bool { return len(w.told()) > 0 || w.failed() != nil })
	}
	return watchers
}

// unaryInFlight makes a call that the upstream answers a second later.
func (g *gateway) unaryInFlight() <-chan error {
	g.upstream.Inject(simulator.Fault{Kind: simulator.FaultLate, Operation: simulator.Add, Latency: time.Second})
	done := make(chan error, 1)
	ctx := g.context()
	go func() {
		_, err := g.client.AddParticipant(ctx, person(1))
		done <- err
	}()
	g.eventually("the add is under way", func() bool { return len(g.upstream.Dials()) == 1 })
	return done
}

// isClosed shows that nobody can connect any more once streams end: a client that
// comes back at once is to find another replica.
func (g *gateway) isClosed() {
	g.t.Helper()
	for _, address := range []string{g.server.GRPCAddr(), g.server.HTTPAddr()} {
		conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", address)
		if err == nil {
			_ = conn.Close()
			g.t.Errorf("%s still listens", address)
		}
	}
}

func isDrained(t *testing.T, w *watcher) { t.Helper(); endedBy(t, w, "DRAINING") }

// endedBy says whether a stream ended UNAVAILABLE with an invitation to come back.
func endedBy(t *testing.T, w *watcher, reason string) {
	t.Helper()
	if last, isEvent := errors.AsType[*failureError](w.failed()); isEvent {
		if !strings.Contains(last.body, reason) || !strings.Contains(last.body, "RetryInfo") ||
			w.name == "text/event-stream" && last.retry == "" {
			t.Errorf("%s: %s, retry %q", w.name, last.body, last.retry)
		}
		return
	}
	endedByStatus(t, w.name, w.failed(), reason)
}

func isDrainedStatus(t *testing.T, name string, err error) {
	t.Helper()
	endedByStatus(t, name, err, "DRAINING")
}

func endedByStatus(t *testing.T, name string, err error, reason string) {
	t.Helper()
	st := status.Convert(err)
	if st.Code() != codes.Unavailable || detail[*errdetails.ErrorInfo](st).GetReason() != reason ||
		detail[*errdetails.RetryInfo](st).GetRetryDelay().AsDuration() == 0 {
		t.Errorf("%s: %v", name, err)
	}
}

// TestW16_AWaitingEventSourceIsEndedByAnEvent drains while the first list is awaited:
// EventSource connects again after a stream that ended, and gives up for good on a 503.
func TestW16_AWaitingEventSourceIsEndedByAnEvent(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	g.upstream.Inject(simulator.Fault{Kind: simulator.FaultLatency, Operation: simulator.List, Latency: patience})
	answers := make(chan answer, 2)
	for _, accept := range []string{"text/event-stream", "application/x-ndjson"} {
		go func() { answers <- g.call("GET", path(":watch"), "", "Accept: "+accept) }()
	}
	g.eventually("both wait", func() bool { return g.shows("gateway_subscribers 2\n") })
	g.stop()
	for range 2 {
		got := <-answers
		isEvent := strings.HasPrefix(got.body, "retry: ") && strings.Contains(got.body, "\nevent: failure\ndata: {\"error\"") ||
			strings.HasPrefix(got.body, `{"error"`)
		if got.status != 200 || !isEvent || !strings.Contains(got.body, `"DRAINING"`) || strings.Contains(got.body, "id:") {
			t.Errorf("answer = %+v", got)
		}
	}
	g.isClosed()
}

// shows says whether the metrics have a line.
func (g *gateway) shows(line string) bool {
	g.t.Helper()
	request, err := http.NewRequestWithContext(g.context(), http.MethodGet, "http://"+g.server.AdminAddr()+"/metrics", http.NoBody)
	if err != nil {
		g.t.Fatal(err)
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	metrics, err := io.ReadAll(response.Body)
	return err == nil && strings.Contains(string(metrics), line)
}

// TestW18_AgedWebStreamsCloseTheirConnections: who comes back is to come by a new one.
func TestW18_AgedWebStreamsCloseTheirConnections(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{}, "--max-stream-age", "1s")
	const method = "/audian.conference.v2.ParticipantService/WatchParticipants"
	request := `{"conferenceId":"` + room + `"}`
	framed := "\x00\x00\x00\x00" + string(rune(len(request))) + request
	for _, contentType := range []string{"application/connect+json", "application/grpc-web+json"} {
		response := g.send("POST", method, framed, "Content-Type: "+contentType)
		body, err := io.ReadAll(response.Body)
		if err != nil || !response.Close || response.StatusCode != http.StatusOK || !strings.Contains(string(body), "stream has reached") {
			t.Errorf("%s: %d, close %t, %q, %v", contentType, response.StatusCode, response.Close, body, err)
		}
		_ = response.Body.Close()
	}
}

// TestW18_StreamsAge has a thousand streams grow old, of all doors.
func TestW18_StreamsAge(t *testing.T) {
	g := start(t, simulator.Options{}, "--max-stream-age", "2s")
	began := time.Now()
	watchers := append(g.crowd(), g.watchHTTP("application/x-ndjson", ""))
	for _, w := range watchers {
		<-w.done
		endedBy(t, w, "STREAM_AGED")
	}
	if took := time.Since(began); took < 1800*time.Millisecond {
		t.Errorf("all ended after %s, younger than their age", took)
	}
}
