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

// asServer is set for a test binary that runs as the server.
const asServer = "TEST_AS_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// serverCommand returns the command that runs the server with these arguments.
func serverCommand(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, os.Args[0], args...)
	command.Env = append(os.Environ(), asServer+"=1")
	return command
}

// closedPipe returns a pipe whose reading end is closed.
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

// getWhenServed requests a URL until the process answers.
func getWhenServed(ctx context.Context, t *testing.T, url string) *http.Response {
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
	process := serverCommand(ctx, "--demo", "--http-addr="+address, "--grpc-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0")
	process.Stdout, process.Stderr = closedPipe(t), closedPipe(t)
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	participants := "http://" + address + "/v2/conferences/conf_demo/participants"
	stream := bufio.NewReader(getWhenServed(ctx, t, participants+":watch").Body)
	if _, err := stream.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := process.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		if answer := getWhenServed(ctx, t, participants+"?unknown=1"); answer.StatusCode != http.StatusBadRequest { // It is logged.
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

// TestW16_ASecondSignalStopsAtOnce sends the second signal during the drain delay.
func TestW16_ASecondSignalStopsAtOnce(t *testing.T) {
	const delay = time.Minute
	gateway := serverCommand(t.Context(), "--demo", "--drain-delay="+delay.String(),
		"--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0")
	log, err := gateway.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	banner, err := gateway.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := gateway.Start(); err != nil {
		t.Fatal(err)
	}
	isReady(t, find(t, banner, "admin  "))
	start := time.Now()
	signalTo(t, gateway)
	find(t, log, "draining")
	signalTo(t, gateway)
	_ = gateway.Wait()
	if code := gateway.ProcessState.ExitCode(); code != signalExitCode(syscall.SIGTERM) {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(start); took >= delay {
		t.Errorf("took %v", took)
	}
}

// TestW16_ASignalDuringTheStartIsADrain sends SIGTERM while the process waits for its Redis.
func TestW16_ASignalDuringTheStartIsADrain(t *testing.T) {
	redis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer redis.Close()
	gateway := serverCommand(t.Context(), "--upstream-url=http://127.0.0.1:1/v2", "--redis-url=redis://"+redis.Addr().String(),
		"--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0")
	gateway.Env = append(gateway.Env, "AUDIAN_AUTH_TOKEN=token")
	if err := gateway.Start(); err != nil {
		t.Fatal(err)
	}
	conn, err := redis.Accept() // It gets no answer.
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	signalTo(t, gateway)
	if err := gateway.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
}

// find returns the rest of the first line after a text.
func find(t *testing.T, lines io.Reader, text string) string {
	t.Helper()
	for scanner := bufio.NewScanner(lines); scanner.Scan(); {
		if _, after, found := strings.Cut(scanner.Text(), text); found {
			return after
		}
	}
	t.Fatalf("no line contains %q", text)
	return ""
}

// isReady waits until the gateway serves.
func isReady(t *testing.T, admin string) {
	t.Helper()
	again, late := time.NewTicker(10*time.Millisecond), time.After(time.Minute)
	defer again.Stop()
	for {
		if response, err := http.Get(admin + "/readyz"); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-again.C:
		case <-late:
			t.Fatal("never ready")
		}
	}
}

func signalTo(t *testing.T, gateway *exec.Cmd) {
	t.Helper()
	if err := gateway.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}
