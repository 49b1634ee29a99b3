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

// launch runs the program until stop is called, and returns its banner.
func launch(t *testing.T, args ...string) (banner, base string, stop func() error) {
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
	var text strings.Builder
	for lines.Scan() {
		text.WriteString(lines.Text() + "\n")
		if strings.HasSuffix(lines.Text(), "/_simulator/faults") {
			break
		}
	}
	banner = text.String()
	base = regexp.MustCompile(`http://[^/]+`).FindString(banner)
	return banner, base, func() error { cancel(); return <-ended }
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", "any")
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(read)
}

func TestRun_ServesUntilContextDone(t *testing.T) {
	banner, base, stop := launch(t, "--demo")
	if n := strings.Count(banner, "\ncurl "); n != 3 {
		t.Errorf("the banner has %d commands:\n%s", n, banner)
	}
	status, body := get(t, base+"/v2/conferences/conf_demo/participants")
	if status != http.StatusOK || !strings.Contains(body, `"status":"connected"`) {
		t.Errorf("got %d %s", status, body)
	}
	if err := stop(); err != nil {
		t.Errorf("run returned %v", err)
	}
}

func TestRun_WithFaults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "faults.json")
	if err := os.WriteFile(file, []byte(`[{"kind":"status","status":418}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, base, stop := launch(t, "--faults="+file)
	if status, body := get(t, base+"/v2/conferences/conf_x/participants"); status != http.StatusTeapot {
		t.Errorf("got %d %s", status, body)
	}
	if err := stop(); err != nil {
		t.Errorf("run returned %v", err)
	}
}

func TestBannerContainsNoToken(t *testing.T) {
	banner, _, stop := launch(t, "--token=very-secret")
	if strings.Contains(banner, "very-secret") || !strings.Contains(banner, "$TOKEN") {
		t.Errorf("banner:\n%s", banner)
	}
	if err := stop(); err != nil {
		t.Errorf("run returned %v", err)
	}
}

func TestRun_Errors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "faults.json")
	if err := os.WriteFile(file, []byte(`[{"kind":"flood"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ flag, message string }{
		"invalid faults":  {"--faults=" + file, `kind "flood"`},
		"invalid address": {"--addr=256.0.0.1:0", "listen: "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f, err := parse(t, test.flag)
			if err != nil {
				t.Fatal(err)
			}
			if err := run(t.Context(), f, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), test.message) {
				t.Errorf("run returned %v", err)
			}
		})
	}
}

func TestFlags_Invalid(t *testing.T) {
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
