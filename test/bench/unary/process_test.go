package unary_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// roleVariable names the server that a process of the test binary runs.
const roleVariable = "UNARY_BENCH_ROLE"

// roles are the servers. Each runs in a process of its own, so that its CPU time is its own. It
// listens, and returns its addresses; target is the address of the server behind it.
var roles = map[string]func(target string) (addresses, error){
	"upstream-1":    func(string) (addresses, error) { return startUpstream(1) },
	"upstream-1000": func(string) (addresses, error) { return startUpstream(1000) },
	"gateway":       startGateway,
	"translator":    startTranslator,
	"chain":         startChain,
	"rest":          startRESTTranslator,
	"proxy":         startProxy,
}

// addresses are the ports of a server; those that it does not have are empty.
type addresses struct{ GRPC, HTTP string }

func TestMain(m *testing.M) {
	role, isServer := os.LookupEnv(roleVariable)
	if !isServer {
		os.Exit(m.Run())
	}
	if err := serve(role); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve runs a server until standard input ends. It answers each line with its usage.
func serve(role string) error {
	listening, err := roles[role](os.Args[len(os.Args)-1])
	if err != nil {
		return err
	}
	answers := json.NewEncoder(os.Stdout)
	if err := answers.Encode(listening); err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if err := answers.Encode(usageNow()); err != nil {
			return err
		}
	}
	return nil
}

// usage is what a process has used since it started.
type usage struct {
	CPU            time.Duration
	Mallocs, Bytes uint64
}

func (u usage) minus(before usage) usage {
	return usage{CPU: u.CPU - before.CPU, Mallocs: u.Mallocs - before.Mallocs, Bytes: u.Bytes - before.Bytes}
}

func usageNow() usage {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used) // It fails only for an unknown argument.
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return usage{
		CPU:     time.Duration(used.Utime.Nano() + used.Stime.Nano()),
		Mallocs: memory.Mallocs, Bytes: memory.TotalAlloc,
	}
}

// process is a running server.
type process struct {
	addresses

	ask     io.Writer
	answers *json.Decoder
}

// start runs a server in a process of its own until the benchmark ends. Its log goes to a file.
func start(b *testing.B, role, target string) *process {
	b.Helper()
	log, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	command := exec.CommandContext(context.WithoutCancel(b.Context()), os.Args[0], target)
	command.Env = append(os.Environ(), roleVariable+"="+role)
	command.Stderr = log
	ask, err := command.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	answers, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = ask.Close()
		_ = command.Wait()
		_ = log.Close()
	})
	running := &process{ask: ask, answers: json.NewDecoder(answers)}
	if err := running.answers.Decode(&running.addresses); err != nil {
		b.Fatalf("%s: %v", role, err)
	}
	return running
}

// used returns the server's usage.
func (p *process) used(b *testing.B) (used usage) {
	b.Helper()
	if _, err := fmt.Fprintln(p.ask); err != nil {
		b.Fatal(err)
	}
	if err := p.answers.Decode(&used); err != nil {
		b.Fatal(err)
	}
	return used
}
