package layering_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// TestDependenciesHaveAReason compares docs/dependencies.md with the go.mod files.
func TestDependenciesHaveAReason(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	mods, err := filepath.Glob(filepath.Join(root, "tools", "*", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	var required dependencies
	for _, mod := range append(mods, filepath.Join(root, "go.mod")) {
		required.read(t, mod)
	}
	for _, difference := range differences(string(page), required) {
		t.Error(difference)
	}
}

// dependencies are the modules and tools of the go.mod files.
type dependencies struct {
	direct, indirect []string
}

func (d *dependencies) read(t *testing.T, mod string) {
	t.Helper()
	// Go's test cache tracks files that the test opens, not those that a child process reads.
	if _, err := os.Stat(mod); err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command("go", "mod", "edit", "-json", mod).Output()
	if err != nil {
		t.Fatalf("%s: %v", mod, err)
	}
	var file struct {
		Require []struct {
			Path     string
			Indirect bool
		}
		Tool []struct{ Path string }
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatalf("%s: %v", mod, err)
	}
	for _, require := range file.Require {
		if require.Indirect {
			d.indirect = append(d.indirect, require.Path)
		} else {
			d.direct = append(d.direct, require.Path)
		}
	}
	for _, tool := range file.Tool {
		d.direct = append(d.direct, tool.Path)
	}
}

var row = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.+) \\|$")

// differences compares the rows of the page with the dependencies.
func differences(page string, required dependencies) []string {
	var found []string
	reasons := map[string]string{}
	for _, match := range row.FindAllStringSubmatch(page, -1) {
		reasons[match[1]] = strings.TrimSpace(match[2])
	}
	for _, dependency := range required.direct {
		if reasons[dependency] == "" {
			found = append(found, dependency+" is a direct dependency without a reason in docs/dependencies.md")
		}
	}
	for dependency := range reasons {
		if !slices.Contains(required.direct, dependency) && !slices.Contains(required.indirect, dependency) {
			found = append(found, dependency+" is in docs/dependencies.md but in no go.mod")
		}
	}
	return found
}

func TestDifferences(t *testing.T) {
	const page = "| module | why |\n| --- | --- |\n| `a.example/kept` | it is required |\n| `a.example/near` | it is indirect |\n" +
		"| `a.example/gone` | it was required |\n| `a.example/blank` |   |\n"
	found := strings.Join(differences(page, dependencies{
		direct:   []string{"a.example/kept", "a.example/new", "a.example/blank"},
		indirect: []string{"a.example/near", "a.example/far"},
	}), "\n")
	for _, want := range []string{"a.example/new is a direct", "a.example/blank is a direct", "a.example/gone is in docs"} {
		if !strings.Contains(found, want) {
			t.Errorf("found %q, want %q in it", found, want)
		}
	}
	for _, fine := range []string{"kept", "near", "far"} {
		if strings.Contains(found, fine) {
			t.Errorf("found %q: %s is not a difference", found, fine)
		}
	}
}
