// Package redistest runs a real redis-server on a free loopback port, and a network between
// it and its clients that fails on demand.
package redistest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// TB is the part of testing.TB that the package uses without importing testing.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Skip(args ...any)
	Cleanup(f func())
	TempDir() string
}

// Options describe a server.
type Options struct {
	// Password is that of the default user; empty: none.
	Password string
	// ACL are users in the form of an ACL file: "user NAME …".
	ACL []string
	// AppendOnly keeps the data when the process ends.
	AppendOnly bool
	// Config are more lines of redis.conf.
	Config []string
}

// Server is a redis-server. Its methods fail the test, and may be called by several goroutines.
type Server struct {
	t       TB
	options Options
	dir     string
	port    int
	// sentinel is true for a Sentinel.
	sentinel bool
	client   *redis.Client

	mu      sync.Mutex
	process *exec.Cmd
	guard   *exec.Cmd
}

// Start starts a server, which ends with the test. It skips the test without redis-server; with
// CI=true a skipped test is a failure.
func Start(t TB, options Options) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed: apt-get install redis-server")
	}
	s := &Server{t: t, options: options, dir: t.TempDir()}
	return start(s)
}

// StartSentinel starts a Sentinel that decides alone, soon after the primary has failed.
func StartSentinel(t TB, name string, primary *Server) *Server {
	t.Helper()
	lines := []string{fmt.Sprintf("sentinel monitor %s 127.0.0.1 %d 1", name, primary.port)}
	if password := primary.options.Password; password != "" {
		lines = append(lines, fmt.Sprintf("sentinel auth-pass %s %s", name, password))
	}
	lines = append(lines, "sentinel down-after-milliseconds "+name+" 500", "sentinel failover-timeout "+name+" 2000")
	return start(&Server{t: t, options: Options{Config: lines}, dir: t.TempDir(), sentinel: true})
}

func start(s *Server) *Server {
	s.t.Helper()
	s.startOnFreePort()
	s.client = redis.NewClient(&redis.Options{
		Addr: s.Addr(), Password: s.options.Password, DisableIdentity: true, Protocol: 2, ContextTimeoutEnabled: true,
	})
	s.t.Cleanup(func() {
		_ = s.client.Close()
		s.Kill()
	})
	return s
}

// Addr returns the address, which stays the same after a restart.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL returns the URL of the default user.
func (s *Server) URL() string { return s.URLAt(s.Addr()) }

// URLAt returns the URL of the default user at another address, such as that of a proxy.
func (s *Server) URLAt(addr string) string {
	if s.options.Password != "" {
		return "redis://:" + s.options.Password + "@" + addr
	}
	return "redis://" + addr
}

// Client returns a client for the test itself.
func (s *Server) Client() *redis.Client { return s.client }

// Run starts the process again after Kill.
func (s *Server) Run() {
	s.t.Helper()
	if err := s.run(); err != nil {
		s.t.Fatalf("start redis-server: %v", err)
	}
}

// Kill ends the process by SIGKILL. Without AppendOnly the data is lost.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return
	}
	for _, process := range []*exec.Cmd{s.guard, s.process} {
		_ = process.Process.Kill()
		_ = process.Wait()
	}
	s.process = nil
}

// Restart ends the process and starts it again, with its data only if AppendOnly and keepData.
func (s *Server) Restart(keepData bool) {
	s.t.Helper()
	s.Kill()
	if !keepData {
		s.Erase()
	}
	s.Run()
}

// Erase removes the data of a server that does not run.
func (s *Server) Erase() {
	s.t.Helper()
	if err := os.RemoveAll(filepath.Join(s.dir, "appendonlydir")); err != nil {
		s.t.Fatalf("erase: %v", err)
	}
}

// Pause stops the process by SIGSTOP until Continue.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Continue continues a paused process.
func (s *Server) Continue() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig os.Signal) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.process.Process.Signal(sig); err != nil {
		s.t.Fatalf("signal redis-server: %v", err)
	}
}

// Do sends a command and returns its reply.
func (s *Server) Do(args ...any) any {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	reply, err := s.client.Do(ctx, args...).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		s.t.Fatalf("%v: %v", args, err)
	}
	return reply
}

// Flush removes all data of the running server.
func (s *Server) Flush() { s.Do("FLUSHALL") }

// ReplicaOf makes the server a replica, and returns when it has the primary's data.
func (s *Server) ReplicaOf(primary *Server) {
	s.t.Helper()
	if primary.options.Password != "" {
		s.Do("CONFIG", "SET", "masterauth", primary.options.Password)
	}
	s.Do("REPLICAOF", "127.0.0.1", primary.port)
	s.await("replicate", func() error {
		if info, _ := s.Do("INFO", "replication").(string); !strings.Contains(info, "master_link_status:up") {
			return errors.New("the link is down")
		}
		return nil
	})
}

// Promote makes a replica a primary of its own.
func (s *Server) Promote() { s.Do("REPLICAOF", "NO", "ONE") }

// startOnFreePort tries ports outside the range from which systems take those of outgoing
// connections, so that the port is still free after a restart.
func (s *Server) startOnFreePort() {
	s.t.Helper()
	var err error
	for range 20 {
		s.port = 15000 + rand.IntN(15000)
		if err = s.run(); err == nil {
			return
		}
	}
	s.t.Fatalf("start redis-server: %v", err)
}

func (s *Server) run() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	config := filepath.Join(s.dir, "redis.conf")
	if err := os.WriteFile(config, []byte(s.config()), 0o600); err != nil {
		return err //nolint:wrapcheck // The error names the file.
	}
	args := []string{config}
	if s.sentinel {
		args = append(args, "--sentinel")
	}
	var output bytes.Buffer
	process := exec.Command("redis-server", args...) //nolint:gosec,noctx // The file is ours; the server ends by Kill.
	process.Stdout, process.Stderr = &output, &output
	if err := process.Start(); err != nil {
		return err //nolint:wrapcheck // The caller adds what it starts.
	}
	err := s.untilReady(process.Process)
	if err == nil {
		s.guard, err = startGuard(process.Process.Pid)
	}
	if err != nil {
		_ = process.Process.Kill()
		_ = process.Wait()
		return fmt.Errorf("%w: %s", err, output.String())
	}
	s.process = process
	return nil
}

// startGuard starts a process that kills another one when this process ends without Kill: then
// its input ends.
func startGuard(pid int) (*exec.Cmd, error) {
	guard := exec.Command("sh", "-c", "read -r _; kill -9 $0", strconv.Itoa(pid)) //nolint:gosec,noctx // It ends by Kill.
	if _, err := guard.StdinPipe(); err != nil {
		return nil, err //nolint:wrapcheck // The caller adds what it starts.
	}
	err := guard.Start()
	return guard, err //nolint:wrapcheck // Likewise.
}

// config is the content of redis.conf.
func (s *Server) config() string {
	lines := []string{
		"bind 127.0.0.1", "port " + strconv.Itoa(s.port), "dir " + s.dir, "loglevel warning", "pidfile " + s.pidFile(),
	}
	if !s.sentinel {
		lines = append(lines, "save \"\"", "repl-diskless-sync-delay 0", "repl-ping-replica-period 1")
	}
	if s.options.AppendOnly {
		lines = append(lines, "appendonly yes", "appendfsync always")
	}
	if s.options.Password != "" {
		lines = append(lines, "requirepass "+s.options.Password)
	}
	lines = append(append(lines, s.options.ACL...), s.options.Config...)
	return strings.Join(lines, "\n") + "\n"
}
