package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asGateway is the environment variable with the arguments of the gateway that the test binary runs.
const asGateway = "GATEWAY_TEST_ARGUMENTS"

// TestGatewayProcess runs the gateway in the process that TestW16_ASecondSignalStopsAtOnce
// starts. It is skipped otherwise.
func TestGatewayProcess(t *testing.T) {
	arguments := os.Getenv(asGateway)
	if arguments == "" {
		return
	}
	if err := os.Unsetenv(asGateway); err != nil {
		t.Fatal(err)
	}
	os.Exit(run(strings.Fields(arguments)))
}

// TestW16_ASecondSignalStopsAtOnce sends the second signal during the drain delay.
func TestW16_ASecondSignalStopsAtOnce(t *testing.T) {
	const delay = time.Minute
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	gateway := exec.CommandContext(t.Context(), self, "-test.run=^TestGatewayProcess$")
	gateway.Env = append(os.Environ(), asGateway+"=--demo --drain-delay "+delay.String()+
		" --grpc-addr 127.0.0.1:0 --http-addr 127.0.0.1:0 --admin-addr 127.0.0.1:0")
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

// find returns the text after a prefix in the first line that contains it.
func find(t *testing.T, lines io.Reader, text string) string {
	t.Helper()
	for scanner := bufio.NewScanner(lines); scanner.Scan(); {
		if _, after, found := strings.Cut(scanner.Text(), text); found {
			return after
		}
	}
	t.Fatalf("no line has %q", text)
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
