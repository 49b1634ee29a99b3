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

// program is where the gateway's program was built.
var program string

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests wait more than they work.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(built{m})
}

// built are tests for which the program is built, and taken away again.
type built struct{ *testing.M }

func (b built) Run() int {
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

// patience is how long a test waits for what should come much sooner.
const patience = 30 * time.Second

// process is a gateway that runs.
type process struct {
	t       *testing.T
	command *exec.Cmd
	written *output
	// The doors' addresses, as the banner tells them.
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
	for _, door := range []struct {
		name string
		addr *string
	}{{"gRPC", &p.grpc}, {"HTTP", &p.http}, {"admin", &p.admin}} {
		line, err := banner.ReadString('\n')
		if err != nil {
			t.Fatalf("no address of %s: %v\n%s", door.name, err, p.written)
		}
		address := strings.TrimSpace(strings.TrimPrefix(line, door.name))
		*door.addr = strings.TrimPrefix(address, "http://")
	}
	return p
}

// stop ends the program as an orchestrator would, and gives all that it wrote.
func (p *process) stop() string {
	p.t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := p.command.Wait(); err != nil {
		p.t.Errorf("ended with %v:\n%s", err, p.written)
	}
	return p.written.String()
}

// ran gives what the program wrote that ends by itself, and how it ended.
func ran(t *testing.T, env []string, flags ...string) (text string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, program, flags...)
	command.Env = env
	out, err := command.CombinedOutput()
	exit, ended := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return string(out), 0
	case !ended || ctx.Err() != nil:
		t.Fatalf("%v: %v\n%s", flags, err, out)
	}
	return string(out), exit.ExitCode()
}

// output is what a process writes, from both of its streams.
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
