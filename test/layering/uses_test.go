package layering_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// root is the path of the repository's root from this package.
const root = "../.."

// use restricts identifiers to some files: selectors such as "time.Now", or "go" for the
// statement.
type use struct {
	names   []string
	allowed func(file) bool
	reason  string
}

// file is a parsed source file; path is relative to root.
type file struct {
	path    string
	test    bool
	imports map[string]bool
	syntax  *ast.File
}

// in reports whether the file is in one of the folders or below.
func (f file) in(folders ...string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool { return strings.HasPrefix(f.path, folder+"/") })
}

func TestUses(t *testing.T) {
	tree := os.DirFS(root)
	for _, folder := range []string{"client", "cmd", "internal", "test"} {
		err := fs.WalkDir(tree, folder, func(name string, _ fs.DirEntry, err error) error {
			if err != nil || path.Ext(name) != ".go" {
				return err
			}
			source, err := fs.ReadFile(tree, name)
			if err != nil {
				return err
			}
			for _, misuse := range misuses(t, name, string(source)) {
				t.Error(misuse)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// misuses returns the uses that are not allowed in the file.
func misuses(t *testing.T, name, source string) []string {
	t.Helper()
	f := parse(t, name, source)
	banned := map[string]string{}
	for _, u := range uses {
		if u.allowed(f) {
			continue
		}
		for _, name := range u.names {
			banned[name] = u.reason
		}
	}
	var found []string
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if used := identifier(n); banned[used] != "" {
			found = append(found, fmt.Sprintf("%s uses %s: %s", name, used, banned[used]))
		}
		return true
	})
	return found
}

func parse(t *testing.T, name, source string) file {
	t.Helper()
	syntax, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	f := file{path: name, test: strings.HasSuffix(name, "_test.go"), imports: map[string]bool{}, syntax: syntax}
	for _, spec := range syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		f.imports[imported] = true
	}
	return f
}

func identifier(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "go"
	case *ast.SelectorExpr:
		if x, ok := n.X.(*ast.Ident); ok {
			return x.Name + "." + n.Sel.Name
		}
	}
	return ""
}

func TestMisuses(t *testing.T) {
	for _, test := range []struct {
		path, body, want string
	}{
		{"internal/feed/feed.go", `os.Getenv("X")`, "internal/feed/feed.go uses os.Getenv: only internal/config"},
		{"internal/feed/feed_test.go", `os.Getenv("X")`, ""},
		{"internal/config/config.go", `os.LookupEnv("X")`, ""},
		{"cmd/server/main.go", `use(os.LookupEnv)`, ""},
		{"internal/configure/c.go", `use(os.LookupEnv)`, "uses os.LookupEnv"},
		{"internal/roster/roster.go", `use(time.Now())`, "uses time.Now: the roster is pure"},
		{"internal/roster/roster.go", `go use()`, "uses go: the roster is pure"},
		{"internal/roster/roster.go", `use(time.Second)`, ""},
		{"internal/feed/feed.go", `go use(time.Now())`, ""},
		{"internal/feed/feed.go", `use(http.StatusNotFound)`, ""},
		{"internal/write/add.go", `use(http.Client{})`, "uses http.Client: HTTP comes in by package httpapi"},
		{"internal/upstream/audian/client.go", `use(http.Client{})`, ""},
		{"internal/feed/feed_test.go", `time.Sleep(1)`, "uses time.Sleep: a test waits in virtual time"},
		{"internal/feed/feed_test.go", `synctest.Test(t, func(*testing.T) { time.Sleep(1) })`, ""},
	} {
		source := "package p\n"
		if strings.Contains(test.body, "synctest") {
			source += "import \"testing/synctest\"\n"
		}
		found := strings.Join(misuses(t, test.path, source+"func f() { "+test.body+" }\n"), "\n")
		if test.want == "" && found != "" || !strings.Contains(found, test.want) {
			t.Errorf("%s: %s: found %q, want %q", test.path, test.body, found, test.want)
		}
	}
}
