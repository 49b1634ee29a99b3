package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// printMatrix prints a row for each client and a column for each step, and below it what failed.
func printMatrix(out io.Writer, steps []step, results []clientResult) {
	table := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	header := make([]string, 0, len(steps)+3)
	header = append(header, "client", "build", "run")
	for _, s := range steps {
		header = append(header, s.Name)
	}
	_, _ = fmt.Fprintln(table, strings.Join(header, "\t"))
	for _, r := range results {
		_, _ = fmt.Fprintln(table, strings.Join(r.cells(len(steps)), "\t"))
	}
	_ = table.Flush()
	for _, r := range results {
		r.printProblems(out)
	}
}

// cells returns the row of a client.
func (r clientResult) cells(steps int) []string {
	cells := []string{r.Client, fmt.Sprintf("%.0f s", r.BuildSeconds), fmt.Sprintf("%.0f s", r.RunSeconds)}
	for _, s := range r.Steps {
		cells = append(cells, s.Result)
	}
	for len(cells) < steps+3 {
		switch {
		case r.Skipped != "":
			cells = append(cells, "skip")
		default:
			cells = append(cells, failed)
		}
	}
	return cells
}

func (r clientResult) printProblems(out io.Writer) {
	if r.Skipped != "" {
		_, _ = fmt.Fprintf(out, "\n%s SKIPPED: %s\n", r.Client, r.Skipped)
	}
	if r.Problem != "" {
		_, _ = fmt.Fprintf(out, "\n%s: %s\n", r.Client, r.Problem)
	}
	for _, s := range r.Steps {
		if s.Result != failed {
			continue
		}
		_, _ = fmt.Fprintf(out, "\n%s, %s:\n", r.Client, s.Step)
		for _, problem := range s.Problems {
			_, _ = fmt.Fprintf(out, "  %s\n", problem)
		}
	}
}

// ok reports that nothing failed. In CI nothing may be skipped either.
func ok(results []clientResult, ci bool) bool {
	for _, r := range results {
		if r.Problem != "" || ci && r.Skipped != "" {
			return false
		}
		for _, s := range r.Steps {
			if s.Result == failed {
				return false
			}
		}
	}
	return true
}

// writeReport writes the results as JSON.
func writeReport(path string, results []clientResult) error {
	text, err := json.Marshal(message{"clients": results}, jsontext.WithIndent("  "))
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}
