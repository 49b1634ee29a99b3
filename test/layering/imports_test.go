package layering_test

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// pkg is what `go list` tells of a package.
type pkg struct {
	ImportPath string
	Imports    []string
}

func TestImports(t *testing.T) {
	for _, v := range violations(packages(t)) {
		t.Error(v)
	}
}

// violations are the imports that no arrow allows, and those that are forbidden.
func violations(packages []pkg) []string {
	var found []string
	for _, p := range packages {
		name := strings.TrimPrefix(p.ImportPath, module)
		allowed, placed := arrows[name]
		if !placed {
			found = append(found, name+" is in no row of arrows: say what it may import")
			continue
		}
		for _, imported := range p.Imports {
			found = append(found, judge(name, allowed, imported)...)
		}
	}
	return found
}

func judge(name string, allowed []string, imported string) []string {
	if ours, ok := strings.CutPrefix(imported, module); ok {
		if slices.Contains(allowed, ours) || slices.Contains(base, ours) && !slices.Contains(base, name) {
			return nil
		}
		return []string{fmt.Sprintf("%s imports %s: %s", name, ours, why(name, ours))}
	}
	for barred, reason := range forbidden[name] {
		if imported == barred || strings.HasPrefix(imported, barred+"/") {
			return []string{fmt.Sprintf("%s imports %s: %s", name, imported, reason)}
		}
	}
	return nil
}

func why(name, imported string) string {
	for _, p := range []string{name, imported} {
		if reason, ok := reasons[p]; ok {
			return reason
		}
	}
	return "imports follow the arrows of ARCHITECTURE.md"
}

// packages lists what the product is made of; tools are outside of it.
func packages(t *testing.T) []pkg {
	t.Helper()
	list := exec.Command("go", "list", "-e", "-json=ImportPath,Imports", "./cmd/...", "./gen/...", "./internal/...")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	decoder := jsontext.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		switch err := json.UnmarshalDecode(decoder, &p); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatalf("decode go list: %v", err)
		}
		all = append(all, p)
	}
}

func TestTheArrowsHaveNoCircle(t *testing.T) {
	var visit func(name string, way []string)
	visit = func(name string, way []string) {
		if slices.Contains(way, name) {
			t.Fatalf("a circle: %s", strings.Join(append(way, name), " -> "))
		}
		for _, next := range arrows[name] {
			visit(next, append(slices.Clone(way), name))
		}
	}
	for name := range arrows {
		visit(name, nil)
	}
}

func TestViolationsAreFound(t *testing.T) {
	for _, test := range []struct {
		name, imported, want string
	}{
		{"internal/feed", module + "internal/roster", ""},
		{"internal/feed", module + "internal/write", "do not import each other"},
		{"internal/participant", module + "internal/feed", "do not import each other"},
		{"internal/roster", module + "internal/watch", "arrows of ARCHITECTURE.md"},
		{"internal/service", module + "internal/httpapi", "meet only in package server"},
		{"internal/httpapi/connectrpc", module + "internal/httpapi/rest", "not each other's code"},
		{"internal/simulator", module + "gen/audian/conference/v2", "share a bug"},
		{"internal/server", module + "internal/service", ""},
		{"internal/roster", "slices", ""},
		{"internal/roster", "sync/atomic", "the roster is pure"},
		{"internal/roster", "log/slog", "the roster is pure"},
		{"internal/feed", "google.golang.org/grpc/codes", "knows no transport"},
		{"internal/roster", "net/http", "knows no transport"},
		{"internal/newcomer", "fmt", "say what it may import"},
	} {
		found := strings.Join(violations([]pkg{{ImportPath: module + test.name, Imports: []string{test.imported}}}), "\n")
		if test.want == "" && found != "" || !strings.Contains(found, test.want) {
			t.Errorf("%s imports %s: found %q, want %q", test.name, test.imported, found, test.want)
		}
	}
}
