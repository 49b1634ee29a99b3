package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// gateway is one process of the gateway, with a client for each transport.
type gateway struct {
	generation         int
	grpcAddr, httpAddr string
	adminAddr          string
	process            *exec.Cmd
	exited             chan struct{}
	conn               *grpc.ClientConn
	client             v2.ParticipantServiceClient
	http               *http.Client
	// ending means that the process was signalled to end, killed that it was killed.
	ending, killed atomic.Bool
}

// drainTimeout is the gateway's; it has a second more to exit.
const drainTimeout = 6 * time.Second

// launchOptions are the flags and the environment of one process.
type launchOptions struct{ flags, env []string }

// fastPolls makes polls so frequent that many experiments fit into a run.
func fastPolls() launchOptions {
	return launchOptions{
		flags: []string{"--poll-interval", "200ms", "--max-poll-interval", "500ms"},
		env:   []string{"AUDIAN_AUTH_TOKEN=" + secret},
	}
}

// defaultPolls keeps the default poll intervals.
func defaultPolls() launchOptions { return launchOptions{env: []string{"AUDIAN_AUTH_TOKEN=" + secret}} }

// launch starts the gateway's program in front of the upstream at a base URL, and returns
// once it listens. The process ends with ctx.
func (w *harness) launch(ctx context.Context, base string, o launchOptions) (*gateway, error) {
	g := &gateway{generation: int(w.launched.Add(1)), exited: make(chan struct{})}
	g.process = exec.CommandContext(ctx, w.settings.server, append([]string{
		"--upstream-url", base + "/v2",
		"--grpc-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0",
		"--drain-timeout", drainTimeout.String(), "--log-format", "json",
	}, o.flags...)...)
	g.process.Env = o.env
	g.process.Stderr = &gatewayLog{out: w.log, results: w.results}
	banner, err := g.process.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	if err := g.process.Start(); err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	if err := g.readBanner(banner); err != nil {
		_ = g.process.Process.Kill()
		_ = g.process.Wait()
		return nil, fmt.Errorf("gateway: %w", err)
	}
	go g.waitForExit(w.results)
	if err := g.connect(); err != nil {
		return nil, err
	}
	return g, nil
}

// readBanner reads the addresses from standard output.
func (g *gateway) readBanner(banner io.Reader) error {
	lines := bufio.NewScanner(banner)
	for g.adminAddr == "" && lines.Scan() {
		transport, addr, _ := strings.Cut(lines.Text(), " ")
		addr = strings.TrimPrefix(strings.TrimSpace(addr), "http://")
		switch transport {
		case "gRPC":
			g.grpcAddr = addr
		case "HTTP":
			g.httpAddr = addr
		case "admin":
			g.adminAddr = addr
		}
	}
	if g.adminAddr == "" {
		return errors.New("ended before it wrote its addresses")
	}
	return nil
}

// waitForExit records a violation unless the process was killed, or was asked to end and
// exited with code 0.
func (g *gateway) waitForExit(t *results) {
	err := g.process.Wait()
	if !g.killed.Load() && (err != nil || !g.ending.Load()) {
		t.violatef(badExits, "process %d of the gateway ended by itself: %v", g.generation, err)
	}
	g.ending.Store(true)
	close(g.exited)
}

func (g *gateway) connect() (err error) {
	if g.conn, err = g.dial(); err != nil {
		return err
	}
	g.client = v2.NewParticipantServiceClient(g.conn)
	g.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: 5 * time.Second}}
	return nil
}

// dial opens a new gRPC connection.
func (g *gateway) dial(options ...grpc.DialOption) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient(g.grpcAddr, append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return conn, nil
}

// kill sends SIGKILL.
func (g *gateway) kill() {
	g.killed.Store(true)
	g.ending.Store(true)
	_ = g.process.Process.Kill()
	<-g.exited
	g.closeClients()
}

// terminate sends SIGTERM (W16), and returns how long the process took to exit.
func (g *gateway) terminate() (took time.Duration) {
	began := time.Now()
	g.ending.Store(true)
	_ = g.process.Process.Signal(syscall.SIGTERM)
	select {
	case <-g.exited:
	case <-time.After(drainTimeout + 5*time.Second):
		_ = g.process.Process.Kill()
		<-g.exited
	}
	g.closeClients()
	return time.Since(began)
}

func (g *gateway) closeClients() {
	_ = g.conn.Close()
	g.http.CloseIdleConnections()
}

// freeze stops the process for a while.
func (g *gateway) freeze(ctx context.Context, d time.Duration) {
	_ = g.process.Process.Signal(syscall.SIGSTOP)
	pause(ctx, d)
	_ = g.process.Process.Signal(syscall.SIGCONT)
}

// send makes a request to the HTTP port.
func (g *gateway) send(ctx context.Context, method, path, body string) (code int, text string, err error) {
	return g.request(ctx, method, "http://"+g.httpAddr+path, body)
}

func (g *gateway) request(ctx context.Context, method, url, body string) (code int, text string, err error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", fmt.Errorf("%s %s: %w", method, url, err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := g.http.Do(request)
	if err != nil {
		return 0, "", fmt.Errorf("%s: %w", method, err)
	}
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, "", fmt.Errorf("%s %s: %w", method, url, err)
	}
	return response.StatusCode, string(read), nil
}

// goroutines returns the number of the process's goroutines.
func (g *gateway) goroutines(ctx context.Context) (int, error) {
	_, profile, err := g.request(ctx, http.MethodGet, "http://"+g.adminAddr+"/debug/pprof/goroutine?debug=1", "")
	if err != nil {
		return 0, err
	}
	total := strings.TrimPrefix(strings.SplitN(profile, "\n", 2)[0], "goroutine profile: total ")
	n, err := strconv.Atoi(total)
	if err != nil {
		return 0, fmt.Errorf("read the profile: %w", err)
	}
	return n, nil
}

// descriptors returns the number of open file descriptors; 0 where there is no /proc.
func (g *gateway) descriptors() int {
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", g.process.Process.Pid))
	if err != nil {
		return 0
	}
	return len(files)
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
