package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const auditTimeout = 30 * time.Second

// auditing is a running gateway with an audit log.
type auditing struct {
	*exec.Cmd

	t            *testing.T
	participants string
	log          *os.File
}

func startAuditing(t *testing.T, flags ...string) *auditing {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), auditTimeout)
	t.Cleanup(cancel)
	address := freeAddress(t)
	g := &auditing{t: t, participants: "http://" + address + "/v2/conferences/conf_demo/participants"}
	g.Cmd = serverCommand(ctx, append(flags, "--demo", "--http-addr="+address, "--grpc-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0")...)
	var err error
	if g.log, err = os.Create(filepath.Join(t.TempDir(), "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.log.Close() })
	g.Stderr = g.log
	return g
}

// run starts the gateway and waits until it serves.
func (g *auditing) run() {
	g.t.Helper()
	if err := g.Start(); err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = g.Process.Kill() })
	getWhenServed(g.t.Context(), g.t, g.participants)
}

// add sends an Add with a request id.
func (g *auditing) add(id string) {
	g.t.Helper()
	body := `{"phone_number":"+12025550123","request_id":"` + id + `"}`
	response, err := http.Post(g.participants, "application/json", strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	if _, _ = io.Copy(io.Discard, response.Body); response.StatusCode != http.StatusOK {
		g.t.Fatalf("add: %s", response.Status)
	}
}

// stop stops the gateway with SIGTERM.
func (g *auditing) stop() {
	g.t.Helper()
	if err := g.Process.Signal(syscall.SIGTERM); err != nil {
		g.t.Fatal(err)
	}
	if err := g.Wait(); err != nil {
		g.t.Errorf("exit: %v", err)
	}
}

func contentOf(file string) string {
	content, _ := os.ReadFile(file) // A file that does not exist is empty.
	return string(content)
}

// TestA15_SIGHUPReopensTheAuditLog rotates the file as logrotate does.
func TestA15_SIGHUPReopensTheAuditLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit")
	g := startAuditing(t, "--audit-log="+file)
	g.run()
	g.add("first")
	if err := os.Rename(file, file+".1"); err != nil {
		t.Fatal(err)
	}
	g.add("second")
	if err := g.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for late := time.After(auditTimeout); ; {
		if _, err := os.Stat(file); err == nil {
			break
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-late:
			t.Fatal("the file was not opened again")
		}
	}
	g.add("third")
	g.stop()
	before, after := contentOf(file+".1"), contentOf(file)
	if strings.Count(before, "\n") != 2 || !strings.Contains(before, `"first"`) || !strings.Contains(before, `"second"`) {
		t.Errorf("the old file has\n%s", before)
	}
	if strings.Count(after, "\n") != 1 || !strings.Contains(after, `"third"`) {
		t.Errorf("the new file has\n%s", after)
	}
}

// TestA15_TheVariableNamesTheStandardOutput also sends SIGHUP, which changes nothing there.
func TestA15_TheVariableNamesTheStandardOutput(t *testing.T) {
	g := startAuditing(t)
	output, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	g.Env, g.Stdout = append(g.Env, "GATEWAY_AUDIT_LOG=-"), output
	g.run()
	if err := g.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	g.add("first")
	g.stop()
	if got := contentOf(output.Name()); strings.Count(got, `"idempotency_key":"first"`) != 1 {
		t.Errorf("got\n%s", got)
	}
}

func TestA15_AFileThatCannotBeOpenedIsAWrongFlag(t *testing.T) {
	for _, file := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none", "audit")} {
		g := startAuditing(t, "--audit-log="+file)
		err := g.Run()
		if code := g.ProcessState.ExitCode(); code != 2 {
			t.Errorf("%s: exit code %d, %v", file, code, err)
		}
		if log := contentOf(g.log.Name()); !strings.Contains(log, "--audit-log: open the audit log: open "+file) || strings.Count(log, "\n") != 1 {
			t.Errorf("%s: got %q", file, log)
		}
	}
}
