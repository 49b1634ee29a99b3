// Command interop is the conformance test of the clients. It plays one scenario with the client of
// each language: against the real gateway with the simulated upstream, through a proxy that cuts and
// stalls connections. Each client reads commands and prints what it sees (README.md is the protocol),
// and one checker compares that with the truth. It prints a matrix of clients and steps.
//
// Usage, at the top of the repository:
//
//	go run ./test/interop -server bin/server [-langs go,python] [-steps watch,silent]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// settings are what the command line says.
type settings struct {
	server       string
	langs, steps string
	clientDir    string
	logs         string
	report       string
	noBuild      bool
	// ci makes a client that cannot be built here a failure; the Makefile sets it by the variable CI.
	ci bool
}

func main() {
	var s settings
	flag.StringVar(&s.server, "server", "bin/server", "the gateway's program")
	flag.StringVar(&s.langs, "langs", "", "play with these clients alone, separated by commas")
	flag.StringVar(&s.steps, "steps", "", "play these steps alone, separated by commas")
	flag.StringVar(&s.clientDir, "clientdir", ".", "the repository with the clients")
	flag.StringVar(&s.logs, "logs", "bin/interop", "folder for the logs of builds, clients and gateways")
	flag.StringVar(&s.report, "report", "bin/interop.json", "file for the report")
	flag.BoolVar(&s.ci, "ci", false, "fail if a client cannot be built here")
	flag.BoolVar(&s.noBuild, "nobuild", false, "do not build the clients")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	passed, err := run(ctx, s, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
	}
	if err != nil || !passed {
		os.Exit(1)
	}
}

// run plays the scenario, prints the matrix and writes the report.
func run(ctx context.Context, s settings, out io.Writer) (bool, error) {
	all, err := readScenario(scenarioFile)
	if err != nil {
		return false, err
	}
	steps, err := selectSteps(all, names(s.steps))
	if err != nil {
		return false, err
	}
	selected, err := selectClients(names(s.langs))
	if err != nil {
		return false, err
	}
	if s.server, err = filepath.Abs(s.server); err != nil {
		return false, fmt.Errorf("server: %w", err)
	}
	if s.clientDir, err = filepath.Abs(s.clientDir); err != nil {
		return false, fmt.Errorf("clientdir: %w", err)
	}
	if err := os.MkdirAll(s.logs, 0o755); err != nil {
		return false, fmt.Errorf("logs: %w", err)
	}
	results := runAll(ctx, s, selected, steps, &lockedWriter{out: out})
	printMatrix(out, steps, results)
	return ok(results, s.ci), writeReport(s.report, results)
}

// lockedWriter lets goroutines write to one writer.
type lockedWriter struct {
	mu  sync.Mutex
	out io.Writer
}

// Write writes all of p.
func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(p) //nolint:wrapcheck // The error is the writer's.
}

// names splits a list of names.
func names(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
