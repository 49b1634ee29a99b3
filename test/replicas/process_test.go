package replicas_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/test/watchclient"
)

// process is one process of the gateway, with its clients.
type process struct {
	watchclient.Gateway

	t       testing.TB
	command *exec.Cmd
	log     *output
	admin   string
	conn    *grpc.ClientConn
	// exited is closed when the process has ended; ending is set before that, if the test ends it.
	exited chan struct{}
	ending atomic.Bool
}

// launch runs a program of the gateway, and waits for its banner.
func launch(tb testing.TB, binary string, env []string, flags ...string) *process {
	tb.Helper()
	p := &process{t: tb, log: &output{}, exited: make(chan struct{})}
	p.command = exec.Command(binary, append([]string{
		"--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0", "--log-format=json",
	}, flags...)...)
	p.command.Env, p.command.Stderr = env, p.log
	banner, written, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	defer banner.Close()
	p.command.Stdout = written
	if err := p.command.Start(); err != nil {
		tb.Fatal(err)
	}
	_ = written.Close()
	go p.wait()
	guard := startGuard(tb, p.command.Process.Pid)
	tb.Cleanup(func() {
		p.kill()
		_ = guard.Process.Kill()
		_ = guard.Wait()
		p.disconnect()
		if tb.Failed() {
			tb.Logf("log of the gateway at %s:\n%s", p.HTTPAddr, p.log)
		}
	})
	grpcAddr := p.readBanner(banner)
	p.connect(grpcAddr)
	return p
}

// startGuard starts a process that kills another one when the test ends without its cleanup.
func startGuard(tb testing.TB, pid int) *exec.Cmd {
	tb.Helper()
	guard := exec.Command("sh", "-c", "read -r _; kill -9 $0", strconv.Itoa(pid))
	if _, err := guard.StdinPipe(); err != nil {
		tb.Fatal(err)
	}
	if err := guard.Start(); err != nil {
		tb.Fatal(err)
	}
	return guard
}

func (p *process) readBanner(banner io.Reader) (grpcAddr string) {
	p.t.Helper()
	lines := bufio.NewReader(banner)
	for _, listener := range []struct {
		name string
		addr *string
	}{{"gRPC", &grpcAddr}, {"HTTP", &p.HTTPAddr}, {"admin", &p.admin}} {
		line, err := lines.ReadString('\n')
		if err != nil {
			p.t.Fatalf("no %s address: %v\n%s", listener.name, err, p.log)
		}
		address := strings.TrimSpace(strings.TrimPrefix(line, listener.name))
		*listener.addr = strings.TrimPrefix(address, "http://")
	}
	return grpcAddr
}

func (p *process) connect(grpcAddr string) {
	p.t.Helper()
	conn, err := grpc.NewClient(grpcAddr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		p.t.Fatal(err)
	}
	p.conn, p.GRPC, p.HTTP = conn, v2.NewParticipantServiceClient(conn), &http.Client{Transport: &http.Transport{}}
}

func (p *process) disconnect() {
	if p.conn != nil {
		_ = p.conn.Close()
		p.HTTP.CloseIdleConnections()
	}
}

// wait fails the test if the process ends by itself.
func (p *process) wait() {
	err := p.command.Wait()
	if !p.ending.Load() {
		p.t.Errorf("the gateway at %s ended by itself: %v", p.HTTPAddr, err)
	}
	close(p.exited)
}

// kill sends SIGKILL.
func (p *process) kill() {
	p.ending.Store(true)
	_ = p.command.Process.Kill()
	<-p.exited
}

// terminate sends SIGTERM, and does not wait for the end.
func (p *process) terminate() {
	p.ending.Store(true)
	p.signal(syscall.SIGTERM)
}

func (p *process) stop()   { p.signal(syscall.SIGSTOP) }
func (p *process) resume() { p.signal(syscall.SIGCONT) }

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		p.t.Fatalf("signal the gateway: %v", err)
	}
}

// page reads a page of the admin port.
func (p *process) page(path string) (code int, body string) {
	p.t.Helper()
	client := http.Client{Transport: p.HTTP.Transport, Timeout: timeout}
	response, err := client.Get("http://" + p.admin + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, string(read)
}

// ready reports whether the process is ready.
func (p *process) ready() bool {
	code, _ := p.page("/readyz")
	return code == http.StatusOK
}

// metric returns the sum of a metric's values, 0 if there are none. The name may have a part of the labels.
func (p *process) metric(name string) (sum float64) {
	p.t.Helper()
	_, body := p.page("/metrics")
	for line := range strings.Lines(body) {
		labelled, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(labelled, name) || strings.HasPrefix(labelled, name+"_") {
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			p.t.Fatalf("metric %q: %v", line, err)
		}
		sum += number
	}
	return sum
}

// eventually waits until a condition holds, up to timeout.
func eventually(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	expired := time.After(timeout)
	for !condition() {
		select {
		case <-ticker.C:
		case <-expired:
			tb.Fatalf("not within %s: %s", timeout, what)
		}
	}
}

// timeout bounds waits without a promise; it is far longer than any should last.
const timeout = 20 * time.Second

// output is what a process writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
