package deploycheck

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// byPrometheus are the metrics that Prometheus adds, and the labels of a target or of a bucket.
var (
	byPrometheus = []string{"up"}
	targetLabels = []string{"job", "instance", "le"}
)

// TestTheMetricsExist compares the alerts and the dashboard with the page of a gateway that has a Redis and did some work.
func TestTheMetricsExist(t *testing.T) {
	if *server == "" {
		t.Skip("run make deploy-check")
	}
	expressions := queries(t)
	for _, one := range alerts(t) {
		expressions = append(expressions, one.Expr)
	}
	used := map[string][]string{}
	for _, expression := range expressions {
		collect(used, expression)
	}
	gateway := startDemo(t)
	gateway.work(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for pause := time.NewTicker(100 * time.Millisecond); ; {
		missing := missing(used, samples(get(t, gateway.admin+"/metrics")))
		if len(missing) == 0 {
			return
		}
		select {
		case <-pause.C: // The first poll, for example, takes a moment.
		case <-ctx.Done():
			t.Fatalf("the gateway has no %s", strings.Join(missing, ", "))
		}
	}
}

var (
	metric  = regexp.MustCompile(`\b((?:gateway|process|go)_[a-z_]+|up)\b(?:\{([^}]*)\})?`)
	matcher = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`)
)

// collect adds the metrics of an expression, each with the labels that its matchers name.
func collect(used map[string][]string, expression string) {
	for _, found := range metric.FindAllStringSubmatch(expression, -1) {
		if slices.Contains(byPrometheus, found[1]) {
			continue
		}
		used[found[1]] = append(used[found[1]], "")
		for _, label := range matcher.FindAllStringSubmatch(found[2], -1) {
			used[found[1]] = append(used[found[1]], label[1])
		}
	}
}

// samples returns the metrics of a page, each with its labels.
func samples(page string) map[string][]string {
	found := map[string][]string{}
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		series, _, _ := strings.Cut(line, " ")
		name, labels, _ := strings.Cut(series, "{")
		found[name] = append(found[name], "")
		for _, label := range matcher.FindAllStringSubmatch(labels, -1) {
			found[name] = append(found[name], label[1])
		}
	}
	return found
}

// missing returns the metrics and labels that are used and do not exist.
func missing(used, exist map[string][]string) []string {
	var all []string
	for name, labels := range used {
		for _, label := range labels {
			if !slices.Contains(exist[name], label) && !slices.Contains(targetLabels, label) {
				all = append(all, strings.TrimSpace(name+" "+label))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestMissingMetricsAndLabelsAreFound(t *testing.T) {
	used := map[string][]string{}
	collect(used, `sum by (job) (rate(gateway_a_total{job="j",code=~"x",kind="y"}[5m])) / gateway_b > process_c`)
	exist := samples("# TYPE gateway_a_total counter\ngateway_a_total{code=\"x\"} 1\nprocess_c 1\n")
	if got := missing(used, exist); !slices.Equal(got, []string{"gateway_a_total kind", "gateway_b"}) {
		t.Errorf("missing %q", got)
	}
}

// demo is a running gateway with its simulator.
type demo struct{ http, admin string }

// startDemo starts a gateway with a Redis of its own.
func startDemo(t *testing.T) demo {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "redis")
	launch(t, exec.Command("redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no"))
	const free = "127.0.0.1:0"
	lines := launch(t, exec.Command(*server, "--demo", "--redis-url=unix://"+socket, "--allow-prefix=+1",
		"--http-addr="+free, "--grpc-addr="+free, "--admin-addr="+free))
	var started demo
	for lines.Scan() {
		if address, found := strings.CutPrefix(lines.Text(), "HTTP   "); found {
			started.http = address
		}
		if address, found := strings.CutPrefix(lines.Text(), "admin  "); found {
			started.admin = address
			return started
		}
	}
	t.Fatal("the gateway printed no address")
	return started
}

// launch starts a process that ends with the test, and returns its output.
func launch(t *testing.T, command *exec.Cmd) *bufio.Scanner {
	t.Helper()
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	return bufio.NewScanner(output)
}

// work makes calls, and opens a watch that ends with the test, so that the conference is polled.
func (d demo) work(t *testing.T) {
	t.Helper()
	participants := d.http + "/v2/conferences/conf_demo/participants"
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, participants+":watch", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	watch, err := new(http.Client).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { watch.Body.Close() })
	get(t, participants)
	add, err := new(http.Client).Post(participants, "application/json", strings.NewReader(`{"phone_number":"+12025550123"}`))
	if err != nil {
		t.Fatal(err)
	}
	add.Body.Close()
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := new(http.Client).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, response.Status, err)
	}
	return string(body)
}
