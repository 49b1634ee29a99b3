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
	// drainTimeout is far longer than a drain takes on any machine: a drain that lasts
	// this long was cut.
	drainTimeout = 45 * time.Second
)

func TestW16_DrainWithAThousandStreams(t *testing.T) {
	g := start(t, simulator.Options{}, "--drain-timeout", drainTimeout.String())
	watchers := g.openStreams()
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
	g.refusesConnections()
	for _, w := range watchers {
		<-w.done
		endedDraining(t, w)
	}
	if err := <-unary; err != nil {
		t.Errorf("an active call: %v", err)
	}
	for err == nil {
		_, err = health.Recv()
	}
	statusDraining(t, "health watch", err)
	_, err = reflection.Recv()
	statusDraining(t, "reflection", err)
	if err := <-g.done; err != nil {
		t.Errorf("run: %v", err)
	}
	if took := time.Since(began); took >= drainTimeout {
		t.Errorf("took %s: cut, not drained", took)
	}
}

// openStreams opens a thousand streams, half of them gRPC over a few connections.
func (g *gateway) openStreams() []*watcher {
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
		// On a slow machine a stream may have reached its maximum age before.
		g.eventually("a first message or the end", func() bool { return len(w.received()) > 0 || w.failed() != nil })
	}
	return watchers
}

// unaryInFlight starts a call to which the upstream responds after a second.
func (g *gateway) unaryInFlight() <-chan error {
	g.upstream.Inject(simulator.Fault{Kind: simulator.FaultLate, Operation: simulator.Add, Latency: time.Second})
	done := make(chan error, 1)
	ctx := g.context()
	go func() {
		_, err := g.client.AddParticipant(ctx, addRequest(1))
		done <- err
	}()
	g.eventually("the add is sent", func() bool { return len(g.upstream.Dials()) == 1 })
	return done
}

// refusesConnections checks that the listeners are closed when streams end, so that a client
// that reconnects at once reaches another replica.
func (g *gateway) refusesConnections() {
	g.t.Helper()
	for _, address := range []string{g.server.GRPCAddr(), g.server.HTTPAddr()} {
		conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", address)
		if err == nil {
			_ = conn.Close()
			g.t.Errorf("%s still listens", address)
		}
	}
}

func endedDraining(t *testing.T, w *watcher) { t.Helper(); endedBy(t, w, "DRAINING") }

// endedBy checks that a stream ended UNAVAILABLE with the reason and a RetryInfo.
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

func statusDraining(t *testing.T, name string, err error) {
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

// TestW16_DrainBeforeTheFirstListEndsWithAnEvent drains while streams wait for the first
// list: EventSource reconnects after a stream that ended, but never after a 503.
func TestW16_DrainBeforeTheFirstListEndsWithAnEvent(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	g.upstream.Inject(simulator.Fault{Kind: simulator.FaultLatency, Operation: simulator.List, Latency: timeout})
	responses := make(chan response, 2)
	for _, accept := range []string{"text/event-stream", "application/x-ndjson"} {
		go func() { responses <- g.call("GET", path(":watch"), "", "Accept: "+accept) }()
	}
	g.eventually("both streams wait", func() bool { return g.metricsContain("gateway_subscribers 2\n") })
	g.stop()
	for range 2 {
		got := <-responses
		isEvent := strings.HasPrefix(got.body, "retry: ") && strings.Contains(got.body, "\nevent: failure\ndata: {\"error\"") ||
			strings.HasPrefix(got.body, `{"error"`)
		if got.status != 200 || !isEvent || !strings.Contains(got.body, `"DRAINING"`) || strings.Contains(got.body, "id:") {
			t.Errorf("got %+v", got)
		}
	}
	g.refusesConnections()
}

// metricsContain reports whether the metrics contain a line.
func (g *gateway) metricsContain(line string) bool {
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

// TestW18_AgedWebStreamsCloseTheirConnections checks that clients reconnect over a new
// connection.
func TestW18_AgedWebStreamsCloseTheirConnections(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{}, "--max-stream-age", "1s")
	const method = "/audian.conference.v2.ParticipantService/WatchParticipants"
	request := `{"conferenceId":"` + conferenceID + `"}`
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

// TestW18_StreamsEndAtTheirMaximumAge opens a thousand streams of all transports.
func TestW18_StreamsEndAtTheirMaximumAge(t *testing.T) {
	g := start(t, simulator.Options{}, "--max-stream-age", "2s")
	began := time.Now()
	watchers := append(g.openStreams(), g.watchHTTP("application/x-ndjson", ""))
	for _, w := range watchers {
		<-w.done
		endedBy(t, w, "STREAM_AGED")
	}
	if took := time.Since(began); took < 1800*time.Millisecond {
		t.Errorf("all ended after %s, before their maximum age", took)
	}
}
