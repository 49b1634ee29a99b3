package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func parse(t *testing.T, args ...string) (f flags, err error) {
	t.Helper()
	_, err = kong.Must(&f, kong.Name("simulator")).Parse(args)
	return f, err
}

// launch runs the program until the test ends it, and returns what it greets with.
func launch(t *testing.T, args ...string) (greeting, base string, stop func() error) {
	t.Helper()
	f, err := parse(t, append(args, "--addr=127.0.0.1:0")...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	read, write := io.Pipe()
	go func() { ended <- run(ctx, f, write, io.Discard) }()
	lines := bufio.NewScanner(read)
	var told strings.Builder
	for lines.Scan() {
		told.WriteString(lines.Text() + "\n")
		if strings.HasSuffix(lines.Text(), "/_simulator/faults") {
			break
		}
	}
	greeting = told.String()
	base = regexp.MustCompile(`http://[^/]+`).FindString(greeting)
	return greeting, base, func() error { cancel(); return <-ended }
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", "any")
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(read)
}

func TestRunServesUntilItsContextEnds(t *testing.T) {
	greeting, base, stop := launch(t, "--demo")
	if n := strings.Count(greeting, "\ncurl "); n != 3 {
		t.Errorf("greeted with %d commands:\n%s", n, greeting)
	}
	status, body := get(t, base+"/v2/conferences/conf_demo/participants")
	if status != http.StatusOK || !strings.Contains(body, `"status":"connected"`) {
		t.Errorf("answered %d %s", status, body)
	}
	if err := stop(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestRunWithFaults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "faults.json")
	if err := os.WriteFile(file, []byte(`[{"kind":"status","status":418}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, base, stop := launch(t, "--faults="+file)
	if status, body := get(t, base+"/v2/conferences/conf_x/participants"); status != http.StatusTeapot {
		t.Errorf("answered %d %s", status, body)
	}
	if err := stop(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestGreetingShowsNoToken(t *testing.T) {
	greeting, _, stop := launch(t, "--token=very-secret")
	if strings.Contains(greeting, "very-secret") || !strings.Contains(greeting, "$TOKEN") {
		t.Errorf("greeted with\n%s", greeting)
	}
	if err := stop(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestRunRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "faults.json")
	if err := os.WriteFile(file, []byte(`[{"kind":"flood"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ flag, message string }{
		"faults that cannot be": {"--faults=" + file, `kind "flood"`},
		"no address":            {"--addr=256.0.0.1:0", "listen: "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f, err := parse(t, test.flag)
			if err != nil {
				t.Fatal(err)
			}
			if err := run(t.Context(), f, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), test.message) {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

func TestFlagsThatCannotBe(t *testing.T) {
	for _, flag := range []string{
		"--behaviour=mad", "--faults=/no/such/file", "--lag=soon", "--nonsense", "--addr=nowhere", "--addr=127.0.0.1:65536",
		"--time-scale=0", "--time-scale=-1", "--time-scale=NaN", "--time-scale=Inf", "--linger=-1s", "--lag=-1s", "--token-ttl=0s",
		"--page-size=-1", "--request-tokens=-1", "--max-participants=-1",
	} {
		name, _, _ := strings.Cut(flag, "=")
		if _, err := parse(t, flag); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", flag, err)
		}
	}
}
