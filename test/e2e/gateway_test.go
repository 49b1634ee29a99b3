package e2e_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/server"
	"github.com/audian/participant-gateway/internal/simulator"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests wait more than they work.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

const (
	room = "conf_abc123def456"
	// patience is how long a test waits for what should come much sooner.
	patience = 20 * time.Second
)

// gateway is one that runs, with its upstream and a client for each door.
type gateway struct {
	t        *testing.T
	server   *server.Server
	upstream *simulator.Simulator
	client   v2.ParticipantServiceClient
	conn     *grpc.ClientConn
	http     *http.Client
	// holding is what watchers hold before their first message.
	holding map[string]human
	// stop begins the drain; ran gets what Run returned.
	stop context.CancelFunc
	ran  chan error
}

// start runs a gateway as a user's command line would. It polls ten times a second, so
// that tests are quick.
func start(t *testing.T, options simulator.Options, flags ...string) *gateway {
	t.Helper()
	upstream := simulator.New(options)
	played := httptest.NewServer(upstream.Handler())
	t.Cleanup(played.Close)
	args := []string{
		"--upstream-url", played.URL + "/v2", "--poll-interval", "100ms", "--max-poll-interval", "200ms",
		"--grpc-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0",
	}
	if !strings.Contains(strings.Join(flags, " "), "passthrough") {
		args = append(args, "--upstream-token", "static-token")
	}
	g := &gateway{t: t, upstream: upstream, ran: make(chan error, 1)}
	g.run(append(args, flags...))
	g.connect()
	return g
}

// run starts the gateway, and sees to it that it stops well.
func (g *gateway) run(args []string) {
	g.t.Helper()
	cfg, err := config.Parse(args, nil, io.Discard)
	if err != nil {
		g.t.Fatal(err)
	}
	if g.server, err = server.New(cfg, slog.New(slog.DiscardHandler)); err != nil {
		g.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	g.stop = stop
	go func() {
		g.ran <- g.server.Run(ctx)
		close(g.ran)
	}()
	g.t.Cleanup(func() {
		stop()
		if err := <-g.ran; err != nil {
			g.t.Errorf("run: %v", err)
		}
	})
}

// connect opens a client for each door.
func (g *gateway) connect() {
	g.t.Helper()
	g.conn = g.dial()
	g.client = v2.NewParticipantServiceClient(g.conn)
	transport := &http.Transport{}
	g.http = &http.Client{Transport: described{RoundTripper: transport, t: g.t}}
	g.t.Cleanup(transport.CloseIdleConnections)
}

// dial opens a gRPC connection of its own.
func (g *gateway) dial(options ...grpc.DialOption) *grpc.ClientConn {
	g.t.Helper()
	conn, err := grpc.NewClient(g.server.GRPCAddr(), append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// context is that of a test that should have ended long before.
func (g *gateway) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	g.t.Cleanup(cancel)
	return ctx
}

// eventually waits until something is so.
func (g *gateway) eventually(what string, is func() bool) {
	g.t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	late := time.After(patience)
	for !is() {
		select {
		case <-ticker.C:
		case <-late:
			g.t.Fatalf("never: %s", what)
		}
	}
}

// answer is what came back over HTTP, its body read.
type answer struct {
	status int
	header http.Header
	body   string
}

// path is that of the conference's participants, with what follows.
func path(rest string) string { return "/v2/conferences/" + room + "/participants" + rest }

// call sends a request over HTTP, headers given as "Name: value".
func (g *gateway) call(method, target, body string, headers ...string) answer {
	g.t.Helper()
	response := g.send(method, target, body, headers...)
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		g.t.Fatalf("%s %s: %v", method, target, err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: string(read)}
}

func (g *gateway) send(method, target, body string, headers ...string) *http.Response {
	g.t.Helper()
	request, err := http.NewRequestWithContext(g.context(), method, "http://"+g.server.HTTPAddr()+target, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := g.http.Do(request)
	if err != nil {
		g.t.Fatalf("%s %s: %v", method, target, err)
	}
	return response
}

// person is somebody to dial, by a number of their own.
func person(n int) *v2.AddParticipantRequest {
	return &v2.AddParticipantRequest{
		ConferenceId: room, PhoneNumber: fmt.Sprintf("+1202555%04d", n), Name: fmt.Sprintf("Person %d", n),
		Role: v2.ParticipantRole_PARTICIPANT_ROLE_LISTENER,
	}
}
