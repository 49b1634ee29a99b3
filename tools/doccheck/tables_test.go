package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/config"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// firsts returns the groups of a pattern's matches, sorted and without duplicates.
func firsts(pattern, text string) []string {
	var found []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, strings.Join(match[1:], " "))
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// compare reports the elements that only one of the two lists contains.
func compare(t *testing.T, page, product []string) {
	t.Helper()
	if len(product) == 0 {
		t.Fatal("the product list is empty")
	}
	for _, one := range page {
		if !slices.Contains(product, one) {
			t.Errorf("the page documents %s, which does not exist", one)
		}
	}
	for _, one := range product {
		if !slices.Contains(page, one) {
			t.Errorf("the page does not document %s", one)
		}
	}
}

func TestFlagsTableEqualsHelp(t *testing.T) {
	var help bytes.Buffer
	_, err := config.Parse([]string{"--help"}, nil, &help)
	if err == nil || help.Len() == 0 {
		t.Fatalf("no help: %v", err)
	}
	page := firsts("(?m)^\\| `(--[a-z0-9-]+)` \\| `([A-Z0-9_]+)` \\|", read(t, "../../docs/operations.md"))
	compare(t, page, flagsOf(help.String()))
}

// flagsOf returns each flag of the help with its environment variable. Flags without one,
// such as --version, are left out.
func flagsOf(help string) []string {
	var flags []string
	for _, text := range regexp.MustCompile(`(?m)^ +(?:-\w, )?--`).Split(help, -1)[1:] {
		name := regexp.MustCompile(`^[a-z0-9-]+`).FindString(text)
		if variable := regexp.MustCompile(`\[\$(\w+)\]`).FindStringSubmatch(text); variable != nil {
			flags = append(flags, "--"+name+" "+variable[1])
		}
	}
	return flags
}

func TestDocumentedDefaults(t *testing.T) {
	cfg, err := config.Parse([]string{"--demo"}, nil, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	page := read(t, "../../docs/operations.md")
	for flag, value := range map[string]string{
		"grpc-addr":         cfg.Listen.GRPC,
		"http-addr":         cfg.Listen.HTTP,
		"admin-addr":        cfg.Listen.Admin,
		"poll-interval":     cfg.Feed.PollInterval.String(),
		"max-poll-interval": cfg.Feed.MaxPollInterval.String(),
		"linger":            cfg.Feed.Linger.String(),
		"max-stream-age":    cfg.Feed.MaxStreamAge.String(),
		"drain-timeout":     cfg.Drain.Timeout.String(),
		"drain-delay":       cfg.Drain.Delay.String(),
		"auth":              cfg.Access.Auth,
		"phone-validation":  cfg.Phone.Validation,
	} {
		row := regexp.MustCompile("(?m)^\\| `--" + flag + "` \\| `[A-Z_]+` \\| `" + regexp.QuoteMeta(value) + "` \\|")
		if !row.MatchString(page) {
			t.Errorf("the page does not document the default %[2]s of --%[1]s", flag, value)
		}
	}
}

func TestMetricsTableEqualsMetrics(t *testing.T) {
	page := firsts("(?m)^\\| `(gateway_[a-z_]+)` \\|", read(t, "../../docs/operations.md"))
	compare(t, page, firsts(`(?:Name:\s*|NewDesc\(|histogram\()"(gateway_[a-z_]+)"`, sources(t, "../../internal/metrics")))
}

// TestTracesTableEqualsVariables compares with the variables that package config reads.
func TestTracesTableEqualsVariables(t *testing.T) {
	source := read(t, "../../internal/config/tracing.go")
	variables := firsts(`"(OTEL_[A-Z_]*[A-Z])"`, source)
	for _, setting := range firsts(`\.otlp\("([A-Z_]+)"\)`, source) {
		variables = append(variables, "OTEL_EXPORTER_OTLP_"+setting)
	}
	compare(t, firsts("(?m)^\\| `(OTEL_[A-Z_]+)` \\|", read(t, "../../docs/operations.md")), variables)
}

// TestPackagesTableEqualsPackages compares with the folders directly below internal.
func TestPackagesTableEqualsPackages(t *testing.T) {
	entries, err := os.ReadDir("../../internal")
	if err != nil {
		t.Fatal(err)
	}
	var packages []string
	for _, entry := range entries {
		packages = append(packages, entry.Name())
	}
	compare(t, firsts("(?m)^\\| `([a-z0-9]+)` \\| ", read(t, "../../ARCHITECTURE.md")), packages)
}

// sources returns the concatenated source of a package.
func sources(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		all.WriteString(read(t, file))
	}
	return all.String()
}

// TestLinks checks that the targets of relative links exist.
func TestLinks(t *testing.T) {
	for _, page := range []string{
		"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs/watch.md", "docs/errors.md",
		"docs/access.md", "docs/security.md",
		"docs/migration.md", "docs/calling-people-well.md", "docs/operations.md", "docs/dependencies.md",
	} {
		folder := "../../"
		if strings.HasPrefix(page, "docs/") {
			folder += "docs/"
		}
		for _, link := range firsts(`\]\(([^)#:]+)(?:#[^)]*)?\)`, read(t, "../../"+page)) {
			if _, err := os.Stat(folder + link); err != nil {
				t.Errorf("%s: the target of link %s does not exist", page, link)
			}
		}
	}
}
