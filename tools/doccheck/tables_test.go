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

// firsts gives the sorted first groups of a pattern's matches, each once.
func firsts(pattern, text string) []string {
	var found []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, strings.Join(match[1:], " "))
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// compare reports what only one of two sorted lists has.
func compare(t *testing.T, page, product []string) {
	t.Helper()
	if len(product) == 0 {
		t.Fatal("nothing to compare with was found")
	}
	for _, one := range page {
		if !slices.Contains(product, one) {
			t.Errorf("the page tells of %s, which is not there", one)
		}
	}
	for _, one := range product {
		if !slices.Contains(page, one) {
			t.Errorf("the page does not tell of %s", one)
		}
	}
}

func TestTheFlagsTableIsTheHelp(t *testing.T) {
	var help bytes.Buffer
	_, err := config.Parse([]string{"--help"}, nil, &help)
	if err == nil || help.Len() == 0 {
		t.Fatalf("no help: %v", err)
	}
	page := firsts("(?m)^\\| `(--[a-z0-9-]+)` \\| `([A-Z0-9_]+)` \\|", read(t, "../../docs/operations.md"))
	compare(t, page, flagsOf(help.String()))
}

// flagsOf gives each flag of the help with its variable, at which its text ends. A
// flag without one, such as --version, sets nothing.
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

func TestTheDefaultsAreThoseOfTheHelp(t *testing.T) {
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
			t.Errorf("the page does not give --%s the default %s", flag, value)
		}
	}
}

func TestTheMetricsTableIsWhatIsMeasured(t *testing.T) {
	page := firsts("(?m)^\\| `(gateway_[a-z_]+)` \\|", read(t, "../../docs/operations.md"))
	compare(t, page, firsts(`(?:Name:\s*|NewDesc\()"(gateway_[a-z_]+)"`, sources(t, "../../internal/metrics")))
}

// TestThePackagesTableIsWhatThereIs compares with the folders right below internal.
func TestThePackagesTableIsWhatThereIs(t *testing.T) {
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

// sources is all the code of a package.
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

// TestLinksLeadSomewhere follows the links from page to page.
func TestLinksLeadSomewhere(t *testing.T) {
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
				t.Errorf("%s: %s leads nowhere", page, link)
			}
		}
	}
}
