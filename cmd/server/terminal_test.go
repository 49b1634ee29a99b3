package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// console runs the commands of the client for the terminal against a gateway.
type console struct {
	t    *testing.T
	addr string
	key  string
}

// startTerminal starts a gateway with the simulator and a key file.
func startTerminal(t *testing.T) *console {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keys")
	var key bytes.Buffer
	if err := editKeys([]string{"add", "--file", file, "--name", "desk", "--role", "writer"}, &key); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	grpc, admin := freeAddress(t), freeAddress(t)
	gateway := serverCommand(ctx, "--demo", "--auth=keys", "--auth-keys-file="+file,
		"--grpc-addr="+grpc, "--http-addr=127.0.0.1:0", "--admin-addr="+admin)
	if err := gateway.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = gateway.Wait() })
	getWhenServed(ctx, t, "http://"+admin+"/readyz")
	return &console{t, grpc, strings.TrimSpace(key.String())}
}

// command returns a command with the key in its environment.
func (c *console) command(args ...string) *exec.Cmd {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	c.t.Cleanup(cancel)
	command := serverCommand(ctx, args...)
	command.Env = append(command.Environ(), "GATEWAY_ADDR="+c.addr, "GATEWAY_KEY="+c.key)
	return command
}

// run runs a command and returns what it printed, and its exit code.
func (c *console) run(args ...string) (stdout, stderr string, code int) {
	c.t.Helper()
	var out, errs bytes.Buffer
	command := c.command(args...)
	command.Stdout, command.Stderr = &out, &errs
	err := command.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return out.String(), errs.String(), exit.ExitCode()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return out.String(), errs.String(), 0
}

func TestTerminalCommandsDoWhatTheySay(t *testing.T) {
	c := startTerminal(t)
	added, errs, code := c.run("add", "conf_terminal", "+12025550123", "--name=Ada", "--role=presenter", "--json")
	id, _, _ := strings.Cut(strings.TrimPrefix(added, `{"id":"`), `"`)
	if code != 0 || errs != "" || !strings.HasPrefix(id, "part_") {
		t.Fatalf("add: exit code %d\n%s%s", code, added, errs)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"list", "conf_terminal"}, "Ada   +12025550123  presenter"},
		{[]string{"mute", "conf_terminal", id}, ""},
		{[]string{"list", "conf_terminal", "--roles=presenter"}, "  muted"},
		{[]string{"unmute", "conf_terminal", id}, ""},
		{[]string{"mute-all", "conf_terminal"}, ""},
		{[]string{"list", "conf_terminal", "--json", "--statuses=held"}, ""},
		{[]string{"remove", "conf_terminal", id}, ""},
		{[]string{"watch", "--help"}, "Usage: server watch <conference>"},
	} {
		out, errs, code := c.run(test.args...)
		if code != 0 || errs != "" || !strings.Contains(out, test.want) || test.want == "" && out != "" {
			t.Errorf("%v: exit code %d\n%s%s", test.args, code, out, errs)
		}
	}
}

func TestTerminalCommandsReportErrors(t *testing.T) {
	c := startTerminal(t)
	file := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(file, []byte("phone_number,name\n\n+12025550140,Ada\n+4420,Bob\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"remove", "conf_terminal", "part_nobody", "part_none"}, 1, "server: remove part_nobody: "},
		{[]string{"add", "conf_terminal", "0123"}, 1, "phone_number: "},
		{[]string{"batch", "conf_terminal", file}, 1, "line 4.phone_number: "},
		{[]string{"batch", "conf_terminal", file + ".none"}, 1, "server: batch: open the file: "},
		{[]string{"watch", "conf_terminal", "--statuses=ringing"}, 2, "--statuses"},
		{[]string{"watch"}, 2, `expected "<conference>"`},
		{[]string{"add", "conf_terminal"}, 2, `expected "<phone-number>"`},
		{[]string{"list", "conf_demo", "--addr=gateway.example:9090"}, 2, "TLS"},
		{[]string{"list", "conf_demo", "--tls-ca-file=" + file}, 2, "the file contains no certificate"},
	} {
		out, errs, code := c.run(test.args...)
		if code != test.code || out != "" || !strings.Contains(errs, test.want) || strings.Contains(errs, c.key) {
			t.Errorf("%v: exit code %d\n%s%s", test.args, code, out, errs)
		}
	}
	c.key = "pgk_wrong"
	if _, errs, code := c.run("list", "conf_demo"); code != 1 || !strings.Contains(errs, "(CREDENTIAL_INVALID)") {
		t.Errorf("a wrong key: exit code %d\n%s", code, errs)
	}
}

func TestTerminalBatchReadsStandardInput(t *testing.T) {
	c := startTerminal(t)
	for range 2 { // The second time with the same id, nobody is dialled again.
		command := c.command("batch", "conf_terminal", "-", "--request-id=friday")
		command.Stdin = strings.NewReader("+12025550140,Ada,presenter\n+12025550141,Bob\n")
		out, err := command.Output()
		if err != nil || strings.Count(string(out), "\tadded\tpart_") != 2 || !strings.Contains(string(out), "line 2\t+12025550141\t") {
			t.Errorf("%v\n%s", err, out)
		}
	}
	out, _, _ := c.run("list", "conf_terminal", "--json")
	if strings.Count(out, "\n") != 2 {
		t.Errorf("the conference has\n%s", out)
	}
}

func TestTerminalWatchEndsWithASignal(t *testing.T) {
	c := startTerminal(t)
	for _, test := range []struct{ flag, first string }{{"--json", `"state":"snapshot"`}, {"--heartbeat=5s", "\tsnapshot\tinitial\t"}} {
		command := c.command("watch", "conf_demo", test.flag)
		out, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil || !strings.Contains(line, test.first) {
			t.Errorf("%s: the first line is %q, %v", test.flag, line, err)
		}
		_ = command.Process.Signal(syscall.SIGINT)
		if err := command.Wait(); err != nil {
			t.Errorf("%s: %v", test.flag, err)
		}
	}
}
