package proxies

import (
	"bufio"
	"bytes"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// timeout bounds waits without a promise; it is far longer than any should last.
const timeout = 30 * time.Second

// process is a program that ends with the test.
type process struct {
	*exec.Cmd

	output io.Reader
	log    *output
	exited chan struct{}
}

// launch runs a program. Its log is part of the test's output if the test fails.
func launch(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(name, args...), log: &output{}, exited: make(chan struct{})}
	p.Env, p.Stderr = []string{"AUDIAN_AUTH_TOKEN=any"}, p.log
	var err error
	if p.output, err = p.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.exited
		if t.Failed() {
			t.Logf("log of %s:\n%s", name, p.log)
		}
	})
	return p
}

// wait waits for the end of the process in the background. Its output must be read before that.
func (p *process) wait() {
	go func() {
		_ = p.Wait()
		close(p.exited)
	}()
}

// replica is a process of the gateway.
type replica struct {
	*process

	grpc, http, admin string
}

// startReplica starts a replica, which waits 3 s between "not ready" and the end of its listeners.
func startReplica(t *testing.T, upstream, redis string) replica {
	t.Helper()
	const free = "127.0.0.1:0"
	r := replica{process: launch(t, program, "--grpc-addr="+free, "--http-addr="+free, "--admin-addr="+free,
		"--upstream-url="+upstream, "--redis-url="+redis, "--allowed-hosts="+httpName, "--drain-delay=3s", "--log-level=warn",
		"--poll-interval=500ms", "--poll-rate=200")}
	lines := bufio.NewScanner(r.output)
	for r.admin == "" && lines.Scan() {
		name, address, _ := strings.Cut(lines.Text(), " ")
		address = strings.TrimPrefix(strings.TrimSpace(address), "http://")
		switch name {
		case "gRPC":
			r.grpc = address
		case "HTTP":
			r.http = address
		case "admin":
			r.admin = address
		}
	}
	r.wait()
	if r.admin == "" {
		t.Fatal("the gateway printed no addresses")
	}
	return r
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	expired := time.After(timeout)
	for !condition() {
		select {
		case <-ticker.C:
		case <-expired:
			t.Fatalf("not within %s: %s", timeout, what)
		}
	}
}

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
