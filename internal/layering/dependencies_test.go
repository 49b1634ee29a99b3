package layering_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// TestDependenciesHaveAReason holds docs/dependencies.md and the go.mod files to
// each other, both ways.
func TestDependenciesHaveAReason(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, difference := range differences(string(page), direct(t)) {
		t.Error(difference)
	}
}

var row = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.+) \\|$")

// differences compares the page's rows with the dependencies.
func differences(page string, dependencies []string) []string {
	var found []string
	reasons := map[string]string{}
	for _, match := range row.FindAllStringSubmatch(page, -1) {
		reasons[match[1]] = strings.TrimSpace(match[2])
	}
	for _, dependency := range dependencies {
		if reasons[dependency] == "" {
			found = append(found, dependency+" is a direct dependency without a reason in docs/dependencies.md")
		}
		delete(reasons, dependency)
	}
	for dependency := range reasons {
		found = append(found, dependency+" is in docs/dependencies.md and in no go.mod")
	}
	return found
}

// direct are the modules and the tools that our go.mod files ask for.
func direct(t *testing.T) []string {
	t.Helper()
	mods, err := filepath.Glob(filepath.Join(root, "tools", "*", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, mod := range append(mods, filepath.Join(root, "go.mod")) {
		all = append(all, asked(t, mod)...)
	}
	return all
}

func asked(t *testing.T, mod string) []string {
	t.Helper()
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
	paths := make([]string, 0, len(file.Require)+len(file.Tool))
	for _, require := range file.Require {
		if !require.Indirect {
			paths = append(paths, require.Path)
		}
	}
	for _, tool := range file.Tool {
		paths = append(paths, tool.Path)
	}
	return paths
}

func TestDifferencesAreFound(t *testing.T) {
	const page = "| module | why |\n| --- | --- |\n| `a.example/kept` | it is needed |\n| `a.example/gone` | it was needed |\n| `a.example/blank` |   |\n"
	found := strings.Join(differences(page, []string{"a.example/kept", "a.example/new", "a.example/blank"}), "\n")
	for _, want := range []string{"a.example/new is a direct", "a.example/blank is a direct", "a.example/gone is in docs"} {
		if !strings.Contains(found, want) {
			t.Errorf("found %q, want %q in it", found, want)
		}
	}
	if strings.Contains(found, "kept") {
		t.Errorf("found %q, which is no difference", found)
	}
}
