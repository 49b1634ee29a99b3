package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asServer is the environment variable with which the test binary runs the server.
const asServer = "TEST_AS_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// closedPipe is a pipe whose reader is gone.
func closedPipe(t *testing.T) *os.File {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	t.Cleanup(func() { write.Close() })
	return write
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// whenServed gets a URL as soon as the process responds.
func whenServed(ctx context.Context, t *testing.T, url string) *http.Response {
	t.Helper()
	for {
		request, _ := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			t.Cleanup(func() { response.Body.Close() })
			return response
		}
		select {
		case <-ctx.Done():
			t.Fatal(err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestSIGPIPEAndSIGHUPAreIgnored(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	address := freeAddress(t)
	process := exec.CommandContext(ctx, os.Args[0], "--demo", "--http-addr="+address, "--grpc-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0")
	process.Env = append(os.Environ(), asServer+"=1")
	process.Stdout, process.Stderr = closedPipe(t), closedPipe(t)
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	participants := "http://" + address + "/v2/conferences/conf_demo/participants"
	stream := bufio.NewReader(whenServed(ctx, t, participants+":watch").Body)
	if _, err := stream.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := process.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		if answer := whenServed(ctx, t, participants+"?unknown=1"); answer.StatusCode != http.StatusBadRequest { // It is logged.
			t.Errorf("answer = %s", answer.Status)
		}
	}
	added, err := http.Post(participants, "application/json", strings.NewReader(`{"phone_number":"+12025550123"}`))
	if err != nil || added.StatusCode != http.StatusOK {
		t.Fatalf("add: %v, %v", added, err)
	}
	defer added.Body.Close()
	body, _ := io.ReadAll(added.Body)
	_, id, _ := strings.Cut(string(body), `"id":"`)
	id, _, _ = strings.Cut(id, `"`)
	for line := ""; !strings.Contains(line, id); {
		if line, err = stream.ReadString('\n'); err != nil {
			t.Fatalf("the stream ended: %v", err)
		}
	}
	if err := process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := process.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
}
