package deploycheck

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

var monitoringDirectory = filepath.Join(deploy, "monitoring")

type alert struct {
	Alert, Expr         string
	Labels, Annotations map[string]string
}

type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []alert
	}
}

func alerts(t *testing.T) []alert {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(monitoringDirectory, "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file ruleFile
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	var all []alert
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

// panel is a panel of the dashboard.
type panel struct {
	ID                 int
	Title, Description string
	GridPos            struct{ X, Y, W, H int }
	Targets            []struct{ Expr, LegendFormat string }
}

func panels(t *testing.T) []panel {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(monitoringDirectory, "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct{ Panels []panel }
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	return dashboard.Panels
}

// queries are the expressions of the dashboard, with values for Grafana's variables.
func queries(t *testing.T) []string {
	t.Helper()
	values := strings.NewReplacer("$__rate_interval", "5m", "$job", "participant-gateway")
	var all []string
	for _, one := range panels(t) {
		for _, target := range one.Targets {
			all = append(all, values.Replace(target.Expr))
		}
	}
	return all
}

func promtool(t *testing.T, args ...string) {
	t.Helper()
	if output, err := exec.Command("promtool", args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, output)
	}
}

func TestPrometheusAcceptsTheAlerts(t *testing.T) {
	promtool(t, "check", "rules", filepath.Join(monitoringDirectory, "alerts.yaml"))
	promtool(t, "test", "rules", filepath.Join(monitoringDirectory, "alerts_test.yaml"))
}

// TestPrometheusAcceptsTheQueries checks the dashboard's queries as recording rules.
func TestPrometheusAcceptsTheQueries(t *testing.T) {
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	var rules []rule
	for _, query := range queries(t) {
		rules = append(rules, rule{Record: "query", Expr: query})
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", "--lint=none", file)
}

func TestEachAlertHasARunbookAndFiresInATest(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile(filepath.Join(monitoringDirectory, "alerts_test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	headings := regexp.MustCompile(`(?m)^### (Gateway[A-Za-z]+)\n\n[A-Z]`).FindAllStringSubmatch(string(page), -1)
	var documented, defined []string
	for _, heading := range headings {
		documented = append(documented, heading[1])
	}
	for _, one := range alerts(t) {
		defined = append(defined, one.Alert)
		link := "https://github.com/audian/participant-gateway/blob/main/docs/operations.md#" + strings.ToLower(one.Alert)
		if one.Annotations["runbook_url"] != link || one.Annotations["summary"] == "" {
			t.Errorf("%s has the annotations %v", one.Alert, one.Annotations)
		}
		if !slices.Contains([]string{"page", "ticket"}, one.Labels["severity"]) {
			t.Errorf("%s has the severity %q", one.Alert, one.Labels["severity"])
		}
		if !strings.Contains(string(tests), `alertname="`+one.Alert+`"`) {
			t.Errorf("no test makes %s fire", one.Alert)
		}
	}
	if !slices.Equal(documented, defined) {
		t.Errorf("docs/operations.md has the alerts %s, alerts.yaml has %s", documented, defined)
	}
}

func TestPanelsDoNotOverlap(t *testing.T) {
	taken := map[[2]int]string{}
	seen := map[int]bool{}
	for _, one := range panels(t) {
		if seen[one.ID] || one.Title == "" || one.Description == "" || len(one.Targets) == 0 {
			t.Errorf("panel %d %q is incomplete or has the number of another", one.ID, one.Title)
		}
		seen[one.ID] = true
		for x := one.GridPos.X; x < one.GridPos.X+one.GridPos.W; x++ {
			for y := one.GridPos.Y; y < one.GridPos.Y+one.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%q covers %q", one.Title, other)
				}
				taken[[2]int{x, y}] = one.Title
			}
		}
	}
}
