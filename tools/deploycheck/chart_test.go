package deploycheck

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"sigs.k8s.io/yaml"
)

var chartDirectory = filepath.Join(deploy, "helm", "participant-gateway")

// render renders the chart as `helm template` does, with values (YAML) over its defaults.
func render(values string) (map[string]string, error) {
	chart, err := loader.Load(chartDirectory)
	if err != nil {
		return nil, err
	}
	var changed map[string]any
	if err := yaml.UnmarshalStrict([]byte(values), &changed); err != nil {
		return nil, err
	}
	options := chartutil.ReleaseOptions{Name: "participant-gateway", Namespace: "default", IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, changed, options, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	return engine.Render(chart, all)
}

// rendered returns the objects of the chart.
func rendered(t *testing.T, values string) []object {
	t.Helper()
	files, err := render(values)
	if err != nil {
		t.Fatalf("%s: %v", values, err)
	}
	var objects []object
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if filepath.Ext(name) == ".yaml" {
			objects = append(objects, decode(t, name, files[name])...)
		}
	}
	return objects
}

func TestHelmLintFindsNothing(t *testing.T) {
	kubernetes, err := chartutil.ParseKubeVersion("v1.34.0")
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range lint.AllWithKubeVersion(chartDirectory, nil, "default", kubernetes).Messages {
		if message.Severity > support.InfoSev {
			t.Error(message)
		}
	}
}

const (
	defaults = "{}"
	single   = "{redis: {secret: {name: ''}}, autoscaling: {enabled: false}, replicas: 1}"
	fixed    = "{autoscaling: {enabled: false}, replicas: 3, tls: {secretName: ''}}"
	full     = `{serviceMonitor: {enabled: true}, upstream: {credential: token}, extraArgs: [--allow-prefix=+1],
podAnnotations: {a: b}, nodeSelector: {a: b}, tolerations: [{key: a}], affinity: {nodeAffinity: {}},
networkPolicy: {clients: [{podSelector: {matchLabels: {app: web}}}]}}`
)

func TestTheChartKeepsItsPodsConfined(t *testing.T) {
	for _, values := range []string{defaults, single, fixed, full, "{networkPolicy: {enabled: false}, drain: {delay: 60}}"} {
		checkPod(t, deployment(t, rendered(t, values)))
	}
}

func TestTheChartFollowsItsValues(t *testing.T) {
	for _, test := range []struct{ values, with, without string }{
		{defaults, "HorizontalPodAutoscaler", "ServiceMonitor"},
		{single, "PodDisruptionBudget", "HorizontalPodAutoscaler"},
		{full, "ServiceMonitor", ""},
		{"{networkPolicy: {enabled: false}}", "HorizontalPodAutoscaler", "NetworkPolicy"},
	} {
		got := ids(rendered(t, test.values))
		if !strings.Contains(got, test.with) || test.without != "" && strings.Contains(got, test.without) {
			t.Errorf("%s: got %s", test.values, got)
		}
	}
	for _, test := range []struct{ values, with, without string }{
		{defaults, "--redis-url-file= --tls-cert-file= --upstream-api-key-file= --max-stream-age=30m --auth=keys", "--insecure-plaintext"},
		{single, "--auth=keys", "--redis-url-file"},
		{fixed, "--insecure-plaintext", "--tls-"},
		{full, "--upstream-token-file= --allow-prefix=+1", "api-key"},
	} {
		args := strings.Join(deployment(t, rendered(t, test.values)).Spec.Template.Spec.Containers[0].Args, " ")
		for flag := range strings.FieldsSeq(test.with) {
			if !strings.Contains(args, flag) {
				t.Errorf("%s: %s lacks %s", test.values, args, flag)
			}
		}
		if strings.Contains(args, test.without) {
			t.Errorf("%s: %s has %s", test.values, args, test.without)
		}
	}
}

func TestTheChartRefusesWrongValues(t *testing.T) {
	for values, want := range map[string]string{
		"{redis: {secret: {name: ''}}}":              "more than one replica needs redis.secret.name",
		"{replica: 3}":                               "replica",
		"{autoscaling: {cpuPercent: 0}}":             "cpuPercent",
		"{upstream: {credential: password}}":         "credential",
		"{networkPolicy: {monitoring: []}}":          "monitoring",
		"{drain: {timeout: 15s}}":                    "timeout",
		"{extraArgs: ['rm -rf']}":                    "extraArgs",
		"{image: {repository: a, registry: b.test}}": "registry",
	} {
		if _, err := render(values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", values, err, want)
		}
	}
}

// TestTheManifestsAreTheChart compares deploy/kubernetes with the chart's defaults, without what Helm adds.
func TestTheManifestsAreTheChart(t *testing.T) {
	plain := manifests(t)
	checkPod(t, deployment(t, plain))
	chart := rendered(t, defaults)
	if ids(plain) != ids(chart) {
		t.Fatalf("the manifests are %s, the chart's %s", ids(plain), ids(chart))
	}
	byID := map[string]string{}
	for _, one := range plain {
		byID[one.id] = compared(t, one)
	}
	for _, one := range chart {
		if got := compared(t, one); got != byID[one.id] {
			t.Errorf("%s differs: the chart has\n%s\nthe manifest\n%s", one.id, got, byID[one.id])
		}
	}
}

// compared returns an object as JSON without namespace and labels: the two ways name different ones, and selectors are checked
// by TestSelectorsFindThePods.
func compared(t *testing.T, one object) string {
	t.Helper()
	text, err := json.MarshalIndent(withoutLabels(one.plain), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func withoutLabels(value any) any {
	switch typed := value.(type) {
	case map[string]any:
		kept := map[string]any{}
		for key, inner := range typed {
			if !slices.Contains([]string{"namespace", "labels", "selector", "matchLabels"}, key) {
				kept[key] = withoutLabels(inner)
			}
		}
		return kept
	case []any:
		var kept []any
		for _, inner := range typed {
			kept = append(kept, withoutLabels(inner))
		}
		return kept
	default:
		return value
	}
}
