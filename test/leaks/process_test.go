package leaks_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// program is the path of the gateway's binary.
var program string

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests mostly wait.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(withProgram{m})
}

// withProgram builds the program before the tests and removes it afterwards.
type withProgram struct{ *testing.M }

func (b withProgram) Run() int {
	dir, err := os.MkdirTemp("", "leaks")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "server")
	args := append([]string{"build"}, raceFlag...)
	if out, err := exec.Command("go", append(args, "-o", program, "../../cmd/server")...).CombinedOutput(); err != nil {
		panic(string(out))
	}
	return b.M.Run()
}

// timeout bounds every wait; it is far longer than any wait should last.
const timeout = 30 * time.Second

// process is a running gateway.
type process struct {
	t       *testing.T
	command *exec.Cmd
	written *output
	// The addresses in the banner.
	grpc, http, admin string
}

// start runs the program, and waits for its banner.
func start(t *testing.T, env []string, flags ...string) *process {
	t.Helper()
	p := &process{t: t, written: &output{}}
	p.command = exec.Command(program, append([]string{
		"--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0", "--drain-timeout=3s",
	}, flags...)...)
	p.command.Env, p.command.Stderr = env, p.written
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.command.Process.Kill() })
	banner := bufio.NewReader(io.TeeReader(stdout, p.written))
	for _, listener := range []struct {
		name string
		addr *string
	}{{"gRPC", &p.grpc}, {"HTTP", &p.http}, {"admin", &p.admin}} {
		line, err := banner.ReadString('\n')
		if err != nil {
			t.Fatalf("no %s address: %v\n%s", listener.name, err, p.written)
		}
		address := strings.TrimSpace(strings.TrimPrefix(line, listener.name))
		*listener.addr = strings.TrimPrefix(address, "http://")
	}
	return p
}

// stop stops the program with SIGTERM, as orchestrators do, and returns its output.
func (p *process) stop() string {
	p.t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := p.command.Wait(); err != nil {
		p.t.Errorf("exit: %v:\n%s", err, p.written)
	}
	return p.written.String()
}

// runToExit runs the program until it exits, and returns its output and exit code.
func runToExit(t *testing.T, env []string, flags ...string) (text string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	command := exec.CommandContext(ctx, program, flags...)
	command.Env = env
	out, err := command.CombinedOutput()
	exit, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return string(out), 0
	case !exited || ctx.Err() != nil:
		t.Fatalf("%v: %v\n%s", flags, err, out)
	}
	return string(out), exit.ExitCode()
}

// output is what a process writes to stdout and stderr.
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
