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

// pkg is the output of `go list` for a package.
type pkg struct {
	ImportPath string
	Imports    []string
}

func TestImports(t *testing.T) {
	for _, v := range violations(packages(t)) {
		t.Error(v)
	}
}

// violations returns the imports that are not allowed or are forbidden.
func violations(packages []pkg) []string {
	var found []string
	for _, p := range packages {
		name := strings.TrimPrefix(p.ImportPath, module)
		allowed, known := arrows[name]
		if !known {
			found = append(found, name+" has no row in arrows: add what it may import")
			continue
		}
		for _, imported := range p.Imports {
			found = append(found, check(name, allowed, imported)...)
		}
	}
	return found
}

func check(name string, allowed []string, imported string) []string {
	if ours, ok := strings.CutPrefix(imported, module); ok {
		if slices.Contains(allowed, ours) || slices.Contains(base, ours) && !slices.Contains(base, name) {
			return nil
		}
		return []string{fmt.Sprintf("%s imports %s: %s", name, ours, reasons[name])}
	}
	for prefix, reason := range forbidden[name] {
		if imported == prefix || strings.HasPrefix(imported, prefix+"/") {
			return []string{fmt.Sprintf("%s imports %s: %s", name, imported, reason)}
		}
	}
	return nil
}

// packages lists the packages of the product, without tools.
func packages(t *testing.T) []pkg {
	t.Helper()
	list := exec.Command("go", "list", "-e", "-json=ImportPath,Imports", "./client/...", "./cmd/...", "./gen/...", "./internal/...")
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

func TestArrowsHaveNoCycle(t *testing.T) {
	var visit func(name string, path []string)
	visit = func(name string, path []string) {
		if slices.Contains(path, name) {
			t.Fatalf("import cycle: %s", strings.Join(append(path, name), " -> "))
		}
		for _, next := range arrows[name] {
			visit(next, append(slices.Clone(path), name))
		}
	}
	for name := range arrows {
		visit(name, nil)
	}
}

func TestEveryPackageHasAReason(t *testing.T) {
	for name := range arrows {
		if reasons[name] == "" {
			t.Errorf("%s has no reason: say why it may not import others", name)
		}
	}
	for name := range reasons {
		if _, known := arrows[name]; !known {
			t.Errorf("%s has a reason, but no row in arrows", name)
		}
	}
}

func TestViolations(t *testing.T) {
	for _, test := range []struct {
		name, imported, want string
	}{
		{"internal/feed", module + "internal/roster", ""},
		{"internal/feed", module + "internal/write", "do not import each other"},
		{"internal/participant", module + "internal/feed", "imports next to nothing"},
		{"internal/roster", module + "internal/watch", "feed drives it"},
		{"internal/service", module + "internal/httpapi", "meet only in package server"},
		{"internal/httpapi/connectrpc", module + "internal/httpapi/rest", "not each other's code"},
		{"internal/simulator", module + "gen/audian/conference/v2", "share a bug"},
		{"internal/server", module + "internal/service", ""},
		{"internal/roster", "slices", ""},
		{"internal/roster", "sync/atomic", "the roster is pure"},
		{"internal/roster", "log/slog", "the roster is pure"},
		{"internal/feed", "google.golang.org/grpc/codes", "knows no transport"},
		{"internal/roster", "net/http", "knows no transport"},
		{"internal/unknown", "fmt", "add what it may import"},
	} {
		found := strings.Join(violations([]pkg{{ImportPath: module + test.name, Imports: []string{test.imported}}}), "\n")
		if test.want == "" && found != "" || !strings.Contains(found, test.want) {
			t.Errorf("%s imports %s: found %q, want %q", test.name, test.imported, found, test.want)
		}
	}
}
