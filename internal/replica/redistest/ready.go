package redistest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	readyTimeout = 10 * time.Second
	retryEvery   = 5 * time.Millisecond
)

var (
	errEnded  = errors.New("the process has ended")
	errNoPort = errors.New("the process has no port yet")
)

// untilReady waits until the process answers. It has written its pid once it has its port, so that
// another process on the same port is not taken for it.
func (s *Server) untilReady(process *os.Process) error {
	return retry(func() error {
		if ended(process.Pid) {
			return errEnded
		}
		if pid, err := os.ReadFile(s.pidFile()); err != nil || strings.TrimSpace(string(pid)) != strconv.Itoa(process.Pid) {
			return errNoPort
		}
		return ping(s.Addr())
	})
}

func (s *Server) pidFile() string { return filepath.Join(s.dir, "redis.pid") }

// ping sends a PING. A server that asks for a password is ready too.
func ping(addr string) error {
	conn, err := (&net.Dialer{Timeout: time.Second}).Dial("tcp", addr)
	if err != nil {
		return err //nolint:wrapcheck // The error names the address.
	}
	defer conn.Close() //nolint:errcheck // The connection has served.
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return err //nolint:wrapcheck // Likewise.
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err //nolint:wrapcheck // Likewise.
	}
	if !strings.HasPrefix(answer, "+PONG") && !strings.HasPrefix(answer, "-NOAUTH") {
		return fmt.Errorf("PING: %s", answer)
	}
	return nil
}

// await repeats until there is no error, and fails the test after a while.
func (s *Server) await(what string, try func() error) {
	s.t.Helper()
	if err := retry(try); err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
}

func retry(try func() error) error {
	deadline := time.Now().Add(readyTimeout)
	for {
		err := try()
		if err == nil || errors.Is(err, errEnded) || time.Now().After(deadline) {
			return err
		}
		<-time.After(retryEvery)
	}
}

// ended reports whether a child has ended but was not waited for.
func ended(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, fields, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(fields, "Z")
}
