// Command mutants changes one rule of the product at a time and checks that the tests named
// for it fail: a test that passes with a broken rule does not test the rule.
//
// Usage, from the module's root:
//
//	mutants [NAME]
//
// NAME is a part of the names of the mutants to run; without it all run. The files are not
// changed: `go test -overlay` applies each change.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
)

// mutant is a broken rule: Old in File is replaced by New. Tests are the tests that must fail
// then: a package, a pattern for -run, and flags.
type mutant struct {
	Name, File, Old, New string
	Tests                []string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, strings.Join(os.Args[1:], " "))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// run runs the mutants whose names contain part.
func run(ctx context.Context, part string) error {
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // It is temporary.
	passed := map[string]bool{}
	var failures []error
	for _, m := range mutants {
		if !strings.Contains(m.Name, part) {
			continue
		}
		if err := m.run(ctx, dir, passed); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", m.Name, err))
			continue
		}
		fmt.Println("caught:", m.Name)
	}
	return errors.Join(failures...)
}

// run checks that the mutant's tests pass without it and that each fails with it.
func (m mutant) run(ctx context.Context, dir string, passed map[string]bool) error {
	overlay, err := m.overlay(dir)
	if err != nil {
		return err
	}
	for _, test := range m.Tests {
		if !passed[test] {
			if out, err := goTest(ctx, test); err != nil || noTests(out) {
				return fmt.Errorf("%s does not pass without the change: %w\n%s", test, err, out)
			}
			passed[test] = true
		}
		out, err := goTest(ctx, test, "-overlay", overlay)
		switch {
		case err == nil:
			return fmt.Errorf("not caught by %s", test)
		case !bytes.Contains(out, []byte("--- FAIL")):
			return fmt.Errorf("%s did not run: %w\n%s", test, err, out)
		}
	}
	return nil
}

func noTests(out []byte) bool { return bytes.Contains(out, []byte("no tests to run")) }

// overlay writes the changed file and the overlay JSON for the go command.
func (m mutant) overlay(dir string) (string, error) {
	path, err := filepath.Abs(m.File)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", m.File, err)
	}
	source, err := os.ReadFile(path) //nolint:gosec // It is from the table.
	if err != nil {
		return "", fmt.Errorf("read the source: %w", err)
	}
	if n := strings.Count(string(source), m.Old); n != 1 {
		return "", fmt.Errorf("%s contains the old text %d times, want once", m.File, n)
	}
	changed := filepath.Join(dir, "changed.go")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(source), m.Old, m.New, 1)), 0o600); err != nil {
		return "", fmt.Errorf("write the changed source: %w", err)
	}
	replaced, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		return "", fmt.Errorf("encode the overlay: %w", err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, replaced, 0o600); err != nil {
		return "", fmt.Errorf("write the overlay: %w", err)
	}
	return overlay, nil
}

// goTest runs one test of the table with flags for the go command.
func goTest(ctx context.Context, test string, flags ...string) ([]byte, error) {
	fields := strings.Fields(test)
	args := append([]string{"test", "-count=1"}, flags...)
	args = append(args, "./"+fields[0], "-run", fields[1])
	args = append(args, fields[2:]...)
	out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	if err != nil {
		return out, fmt.Errorf("go test: %w", err)
	}
	return out, nil
}
