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
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"
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

// workers is the number of mutants that run concurrently: many wait more than they compute.
const workers = 3

// run runs the mutants whose names contain part, after their tests without a change.
func run(ctx context.Context, part string) error {
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // It is temporary.
	chosen := slices.DeleteFunc(allMutants(), func(m mutant) bool { return !strings.Contains(m.Name, part) })
	if err := passUnchanged(ctx, chosen); err != nil {
		return err
	}
	failures := make([]error, len(chosen))
	var running errgroup.Group
	running.SetLimit(workers)
	for i, m := range chosen {
		running.Go(func() error {
			if err := m.run(ctx, filepath.Join(dir, strconv.Itoa(i))); err != nil {
				failures[i] = fmt.Errorf("%s: %w", m.Name, err)
				return nil
			}
			fmt.Println("caught:", m.Name)
			return nil
		})
	}
	_ = running.Wait() // The errors are in failures.
	return errors.Join(failures...)
}

// allMutants returns the mutants of all tables.
func allMutants() []mutant {
	return slices.Concat(mutants, batchMutants, manyConferencesMutants, sharedLogMutants, feedLogMutants, watchBugMutants)
}

// passUnchanged checks that all tests of the mutants exist and pass without a change. Tests of
// one package with equal flags share a run.
func passUnchanged(ctx context.Context, chosen []mutant) error {
	patterns := map[string][]string{}
	for _, m := range chosen {
		for _, test := range m.Tests {
			fields := strings.Fields(test)
			run := strings.Join(append([]string{fields[0], "%s"}, fields[2:]...), " ")
			patterns[run] = append(patterns[run], fields[1])
		}
	}
	for run, patterns := range patterns { // One after the other: a busy machine must not fail a test.
		if err := pass(ctx, run, patterns); err != nil {
			return err
		}
	}
	return nil
}

// pass checks that the tests of one run exist and pass.
func pass(ctx context.Context, run string, patterns []string) error {
	out, err := goTest(ctx, fmt.Sprintf(run, strings.Join(patterns, "|")), "-v")
	if err != nil {
		return fmt.Errorf("the tests do not pass without a change: %w\n%s", err, out)
	}
	for _, pattern := range patterns {
		if !bytes.Contains(out, []byte("--- PASS: "+pattern)) {
			return fmt.Errorf("there is no test %s", fmt.Sprintf(run, pattern))
		}
	}
	return nil
}

// run checks that each of the mutant's tests fails with it.
func (m mutant) run(ctx context.Context, dir string) error {
	overlay, err := m.overlay(dir)
	if err != nil {
		return err
	}
	for _, test := range m.Tests {
		out, err := goTest(ctx, test, "-failfast", "-overlay", overlay)
		switch {
		case err == nil:
			return fmt.Errorf("not caught by %s", test)
		case !bytes.Contains(out, []byte("--- FAIL")) && !bytes.Contains(out, []byte("panic: ")): // A panic ends the tests.
			return fmt.Errorf("%s did not run: %w\n%s", test, err, out)
		}
	}
	return nil
}

// overlay writes the changed file and the overlay JSON for the go command.
func (m mutant) overlay(dir string) (string, error) {
	path, err := filepath.Abs(m.File)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", m.File, err)
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the source: %w", err)
	}
	if n := strings.Count(string(source), m.Old); n != 1 {
		return "", fmt.Errorf("%s contains the old text %d times, want once", m.File, n)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make a directory: %w", err)
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
	// Without debug data it links faster. A mutant can make a test run forever, and take all memory.
	args := append([]string{"test", "-count=1", "-vet=off", "-ldflags=-w", "-timeout=3m"}, flags...)
	args = append(args, "./"+fields[0], "-run", fields[1])
	args = append(args, fields[2:]...)
	out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	if err != nil {
		return out, fmt.Errorf("go test: %w", err)
	}
	return out, nil
}
