package layering_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"testing"
)

// citation matches the number of a promise, in text or in the name of a test.
var citation = regexp.MustCompile(`\b(?:Test)?([WAR])0?([1-9][0-9]?)(?:\b|_)`)

// definition matches the line of docs/promises.md that defines a promise.
var definition = regexp.MustCompile(`(?m)^\*\*([WAR])([0-9]+) `)

// TestCitedPromisesAreDefined checks that docs/promises.md defines every promise that code
// or documents cite by number.
func TestCitedPromisesAreDefined(t *testing.T) {
	tree := os.DirFS(root)
	page, err := fs.ReadFile(tree, "docs/promises.md")
	if err != nil {
		t.Fatal(err)
	}
	defined := map[string]bool{}
	for _, found := range definition.FindAllSubmatch(page, -1) {
		defined[string(found[1])+string(found[2])] = true
	}
	if len(defined) < 25 {
		t.Fatalf("docs/promises.md defines only %d promises", len(defined))
	}
	for name, cited := range citations(t, tree) {
		for _, promise := range cited {
			if !defined[promise] {
				t.Errorf("%s cites %s, which docs/promises.md does not define", name, promise)
			}
		}
	}
}

// citations returns the promises that each file cites.
func citations(t *testing.T, tree fs.FS) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, folder := range []string{"cmd", "docs", "examples", "internal", "proto", "test", "tools", "ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"} {
		err := fs.WalkDir(tree, folder, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !slices.Contains([]string{".go", ".md", ".proto"}, path.Ext(name)) {
				return err
			}
			text, err := fs.ReadFile(tree, name)
			for _, match := range citation.FindAllSubmatch(text, -1) {
				found[name] = append(found[name], string(match[1])+string(match[2]))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}
