package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/simulator"
)

const startTimeout = 30 * time.Second

func TestStart_OneLineSaysWhyItDoesNotStart(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	taken, owner := listener.Addr().String(), "another process"
	if runtime.GOOS == "linux" {
		comm, _ := os.ReadFile("/proc/self/comm")
		owner = fmt.Sprintf("process %d (%s)", os.Getpid(), strings.TrimSpace(string(comm)))
	}
	for _, test := range []struct {
		name, want string
		code       int
		args, env  []string
	}{
		{
			"a taken port", "--http-addr: " + taken + " is in use by " + owner + "; stop it, or choose another address with --http-addr or GATEWAY_HTTP_ADDR",
			1,
			[]string{"--demo", "--http-addr=" + taken},
			nil,
		},
		{
			"no credential", "no upstream credential: set AUDIAN_API_KEY or AUDIAN_AUTH_TOKEN (or …_FILE), " +
				"let callers bring their own token with --auth=passthrough, or try the gateway without one with --demo",
			2, nil, nil,
		},
		{
			"a key file that is missing", "AUDIAN_API_KEY_FILE: open /nowhere/key: no such file or directory",
			2, nil,
			[]string{"AUDIAN_API_KEY_FILE=/nowhere/key"},
		},
		{
			"no URL of Redis", "",
			2,
			[]string{"--demo", "--redis-url=http://:open-sesame@127.0.0.1"},
			nil,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			gateway := serverCommand(t.Context(), append([]string{"--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0"}, test.args...)...)
			gateway.Env, gateway.Stderr = append(gateway.Env, test.env...), &log
			exit, isExit := errors.AsType[*exec.ExitError](gateway.Run())
			if !isExit || exit.ExitCode() != test.code || strings.Count(log.String(), "\n") != 1 || strings.Contains(log.String(), "open-sesame") {
				t.Errorf("%v: %s", exit, &log)
			}
			if test.want != "" && log.String() != "server: "+test.want+"\n" {
				t.Errorf("got  %swant server: %s", &log, test.want)
			}
		})
	}
}

// starting is a server whose log is read line by line.
type starting struct {
	t     *testing.T
	http  string
	admin string
	lines chan map[string]any
}

// start starts a server until the test ends.
func start(t *testing.T, env []string, args ...string) *starting {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	t.Cleanup(cancel)
	s := &starting{t: t, http: freeAddress(t), admin: freeAddress(t), lines: make(chan map[string]any, 1000)}
	gateway := serverCommand(ctx, append([]string{"--grpc-addr=127.0.0.1:0", "--http-addr=" + s.http, "--admin-addr=" + s.admin, "--log-format=json"}, args...)...)
	gateway.Env = append(gateway.Env, env...)
	log, err := gateway.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := gateway.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = gateway.Process.Kill() })
	go func() {
		defer close(s.lines)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			var line map[string]any
			if json.Unmarshal(lines.Bytes(), &line) == nil {
				s.lines <- line
			}
		}
	}()
	return s
}

// awaits waits for a line with a message, and returns it. The level, check and error are those of the line.
func (s *starting) awaits(message string) (level, check, err string) {
	s.t.Helper()
	for line := range s.lines {
		if line["msg"] == message {
			level, _ = line["level"].(string)
			check, _ = line["check"].(string)
			err, _ = line["error"].(string)
			return level, check, err
		}
	}
	s.t.Fatalf("the log lacks %q", message)
	return "", "", ""
}

// list lists a conference, whatever becomes of it.
func (s *starting) list() {
	s.t.Helper()
	getWhenServed(s.t.Context(), s.t, "http://"+s.http+"/v2/conferences/conf_1/participants")
}

const refusesCredential = "the upstream refuses the gateway's credential: calls fail until it is replaced"

func simulate(t *testing.T, options simulator.Options) string {
	t.Helper()
	upstream := httptest.NewServer(simulator.New(options).Handler())
	t.Cleanup(upstream.Close)
	return "--upstream-url=" + upstream.URL + "/v2"
}

func TestStart_AWrongAPIKeyIsLoggedAtTheStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("open-sesame"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, []string{"AUDIAN_API_KEY_FILE=" + file}, simulate(t, simulator.Options{APIKeys: []string{"right"}}))
	if level, check, _ := s.awaits(refusesCredential); level != "ERROR" || check != "AUDIAN_API_KEY_FILE" {
		t.Errorf("got %s %s", level, check)
	}
}

func TestStart_AWrongTokenIsLoggedOnce(t *testing.T) {
	s := start(t, nil, simulate(t, simulator.Options{Tokens: []string{"right"}}), "--upstream-token=open-sesame")
	for range 3 {
		s.list()
	}
	calls, refused := 0, 0
	for line := range s.lines {
		switch line["msg"] {
		case refusesCredential:
			refused++
			if line["level"] != "ERROR" || line["check"] != "--upstream-token" {
				t.Errorf("got %v", line)
			}
		case "call":
			calls++
		}
		if calls == 3 && refused > 0 {
			break
		}
	}
	if calls != 3 || refused != 1 {
		t.Errorf("%d calls, and it was logged %d times", calls, refused)
	}
}

func TestStart_AnUpstreamThatCannotBeReachedIsLogged(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	closed := freeAddress(t)
	for name, test := range map[string]struct{ url, credential, want string }{
		"nobody listens":            {"http://" + closed + "/v2", "AUDIAN_AUTH_TOKEN=token", "connection refused"},
		"nobody listens, for a key": {"http://" + closed + "/v2", "AUDIAN_API_KEY=key", "connection refused"},
		"it has no TLS":             {"https" + strings.TrimPrefix(plain.URL, "http") + "/v2", "AUDIAN_AUTH_TOKEN=token", "does not look like a TLS handshake"},
		"its name is unknown":       {"http://upstream.invalid/v2", "AUDIAN_AUTH_TOKEN=token", "upstream.invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, []string{test.credential}, "--upstream-url="+test.url)
			level, check, err := s.awaits("the upstream cannot be used: calls fail until it can")
			if level != "WARN" || check != "--upstream-url, AUDIAN_BASE_URL" || !strings.Contains(err, test.want) {
				t.Errorf("got %s %s: %s", level, check, err)
			}
		})
	}
}

func TestStart_ARedisThatCannotBeUsedIsLogged(t *testing.T) {
	redis := redistest.Start(t, redistest.Options{Password: "right"})
	for name, test := range map[string]struct{ url, want string }{
		"nobody listens": {"redis://:open-sesame@" + freeAddress(t), "Redis cannot be reached: dial tcp"},
		"wrong password": {strings.Replace(redis.URL(), "right", "open-sesame", 1), "Redis refuses a command: WRONGPASS"},
		"no password":    {strings.Replace(redis.URL(), ":right@", "", 1), "Redis refuses a command: NOAUTH"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, []string{"GATEWAY_REDIS_URL=" + test.url}, "--demo", "--auth=none")
			level, _, err := s.awaits("Redis cannot be used")
			if level != "ERROR" || !strings.Contains(err, test.want) || strings.Contains(err, "open-sesame") {
				t.Errorf("got %s: %s", level, err)
			}
		})
	}
}

// TestStart_MakeSaysThatGoIsTooOld runs make with a Go of another version.
func TestStart_MakeSaysThatGoIsTooOld(t *testing.T) {
	for name, test := range map[string]struct{ script, want string }{
		"too old, and kept":                {`[ "$2" = GOTOOLCHAIN ] && echo local || echo go1.25.9`, " is go1.25.9, which is too old, and GOTOOLCHAIN=local keeps it: install Go 1."},
		"very old":                         {`[ "$2" = GOTOOLCHAIN ] || echo go1.20`, " is go1.20, which is too old: install Go 1."},
		"too old, but it gets a newer one": {`[ "$2" = GOTOOLCHAIN ] && echo auto || echo go1.25.9`, ""},
		"newer":                            {`echo go1.99.1`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			fake := filepath.Join(t.TempDir(), "go")
			if err := os.WriteFile(fake, []byte("#!/bin/sh\n"+test.script+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			output, err := exec.CommandContext(t.Context(), "make", "-C", "../..", "--no-print-directory", "go-version", "GO="+fake).CombinedOutput()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(string(output), test.want)) {
				t.Errorf("%v: %s", err, output)
			}
		})
	}
	output, err := exec.CommandContext(t.Context(), "make", "-C", "../..", "--no-print-directory", "run", "GO=/nowhere/go").CombinedOutput()
	if err == nil || !strings.Contains(string(output), "the command /nowhere/go is not installed: install Go 1.") {
		t.Errorf("without Go: %v: %s", err, output)
	}
}
