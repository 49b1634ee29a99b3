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
	// The tests mostly wait.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

const (
	conferenceID = "conf_abc123def456"
	// timeout bounds every wait; it is far longer than any wait should last.
	timeout = 90 * time.Second
)

// gateway is a running gateway, with its upstream and a client of each transport.
type gateway struct {
	t        *testing.T
	server   *server.Server
	upstream *simulator.Simulator
	client   v2.ParticipantServiceClient
	conn     *grpc.ClientConn
	http     *http.Client
	// initialState is the state of new watchers before their first message.
	initialState map[string]participant
	// args are the command line, and environ is the environment.
	args, environ []string
	// stop begins the drain; done receives the error of Run.
	stop context.CancelFunc
	done chan error
}

// start runs a gateway with command-line flags. It polls ten times a second to make tests
// fast.
func start(t *testing.T, options simulator.Options, flags ...string) *gateway {
	t.Helper()
	upstream := simulator.New(options)
	return startWith(t, upstream, upstream.Handler(), nil, flags...)
}

// startWith is start with an environment, and a handler of requests for the upstream.
func startWith(t *testing.T, upstream *simulator.Simulator, handler http.Handler, environ []string, flags ...string) *gateway {
	t.Helper()
	upstreamServer := httptest.NewServer(handler)
	t.Cleanup(upstreamServer.Close)
	args := []string{
		"--upstream-url", upstreamServer.URL + "/v2", "--poll-interval", "100ms", "--max-poll-interval", "200ms",
		"--grpc-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0",
	}
	if !strings.Contains(strings.Join(flags, " "), "passthrough") {
		args = append(args, "--upstream-token", "static-token")
	}
	g := &gateway{t: t, upstream: upstream, args: append(args, flags...), environ: environ}
	g.run()
	g.connect()
	return g
}

// restart ends the gateway, and runs another one with the same upstream.
func (g *gateway) restart() {
	g.t.Helper()
	g.stop()
	if err := <-g.done; err != nil {
		g.t.Errorf("run: %v", err)
	}
	g.run()
	g.connect()
}

// run starts the gateway, and checks at the end of the test that it stops without error.
func (g *gateway) run() {
	g.t.Helper()
	cfg, err := config.Parse(g.args, g.environ, io.Discard)
	if err != nil {
		g.t.Fatal(err)
	}
	if g.server, err = server.New(cfg, slog.New(slog.DiscardHandler)); err != nil {
		g.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done, running := make(chan error, 1), g.server
	g.stop, g.done = stop, done
	go func() {
		done <- running.Run(ctx)
		close(done)
	}()
	g.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			g.t.Errorf("run: %v", err)
		}
	})
}

// connect creates a client of each transport.
func (g *gateway) connect() {
	g.t.Helper()
	g.conn = g.dial()
	g.client = v2.NewParticipantServiceClient(g.conn)
	transport := &http.Transport{}
	g.http = &http.Client{Transport: validatingTransport{RoundTripper: transport, t: g.t}}
	g.t.Cleanup(transport.CloseIdleConnections)
}

// dial opens a new gRPC connection.
func (g *gateway) dial(options ...grpc.DialOption) *grpc.ClientConn {
	g.t.Helper()
	conn, err := grpc.NewClient(g.server.GRPCAddr(), append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// context returns a context that bounds the test.
func (g *gateway) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	g.t.Cleanup(cancel)
	return ctx
}

// eventually waits until the condition holds.
func (g *gateway) eventually(what string, condition func() bool) {
	g.t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	expired := time.After(timeout)
	for !condition() {
		select {
		case <-ticker.C:
		case <-expired:
			g.t.Fatalf("never: %s", what)
		}
	}
}

// response is an HTTP response whose body was read.
type response struct {
	status int
	header http.Header
	body   string
}

// path returns the path of the conference's participants with a suffix.
func path(rest string) string { return "/v2/conferences/" + conferenceID + "/participants" + rest }

// call sends an HTTP request. Headers have the form "Name: value".
func (g *gateway) call(method, target, body string, headers ...string) response {
	g.t.Helper()
	resp := g.send(method, target, body, headers...)
	defer func() { _ = resp.Body.Close() }()
	read, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatalf("%s %s: %v", method, target, err)
	}
	return response{status: resp.StatusCode, header: resp.Header, body: string(read)}
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

// addRequest returns an Add with the n-th phone number.
func addRequest(n int) *v2.AddParticipantRequest {
	return &v2.AddParticipantRequest{
		ConferenceId: conferenceID, PhoneNumber: fmt.Sprintf("+1202555%04d", n), Name: fmt.Sprintf("Person %d", n),
		Role: v2.ParticipantRole_PARTICIPANT_ROLE_LISTENER,
	}
}
