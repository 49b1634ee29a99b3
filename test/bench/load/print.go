package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

const tableHead = `
| case | server | CPU | lowest to highest | memory | bytes | a second | gateway ÷ this |
| --- | --- | --- | --- | --- | --- | --- | --- |
`

// printTable prints medians of all rounds, and what the gateway costs against each reference:
// the median of the ratios, or of the differences, within each round.
func printTable(w io.Writer, scenarios []*scenario) error {
	var text strings.Builder
	text.WriteString(tableHead)
	for _, s := range scenarios {
		for _, c := range s.contenders {
			fmt.Fprintf(&text, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", s.name, c.name,
				formatCost(median(c.results, figures.costOf)), formatSpread(c.results), formatMemory(median(c.results, figures.memoryOf)),
				formatNumber(median(c.results, figures.sizeOf)), formatNumber(median(c.results, figures.rateOf)), s.compare(c))
		}
	}
	if _, err := io.WriteString(w, text.String()); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	return nil
}

func (f figures) costOf() time.Duration { return f.cost }
func (f figures) memoryOf() float64     { return f.memory }
func (f figures) sizeOf() float64       { return f.size }
func (f figures) rateOf() float64       { return f.rate }

// median returns the median of what value returns of the results.
func median[N time.Duration | float64](results []figures, value func(figures) N) N {
	values := make([]N, len(results))
	for i, result := range results {
		values[i] = value(result)
	}
	return middle(values)
}

// middle returns the median; of an even number of values the mean of the two in the middle.
func middle[N time.Duration | float64](values []N) N {
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// compare returns what the gateway costs compared with a reference; nothing for the gateway.
func (s *scenario) compare(reference *contender) string {
	if reference.comparison == none {
		return ""
	}
	var texts []string
	for _, c := range s.contenders {
		if c.comparison != none {
			continue
		}
		text := fmt.Sprintf("%s (%s)", reference.comparison.text(c.results, reference.results), c.name)
		if !sameRate(c.results, reference.results) {
			text = "~" + text
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

// sameRate reports whether two servers delivered about as much. If not, the machine was too busy.
func sameRate(results, references []figures) bool {
	return math.Abs(median(results, figures.rateOf)/median(references, figures.rateOf)-1) < 0.15
}

func (c comparison) text(results, references []figures) string {
	if c == difference {
		differences := make([]time.Duration, len(results))
		for i := range results {
			differences[i] = results[i].cost - references[i].cost
		}
		return fmt.Sprintf("%+.2f ms", float64(middle(differences))/float64(time.Millisecond))
	}
	ratios := make([]float64, len(results))
	for i := range results {
		ratios[i] = float64(results[i].cost) / float64(references[i].cost)
	}
	return fmt.Sprintf("%.2f", middle(ratios))
}

func formatCost(d time.Duration) string {
	if d >= time.Millisecond {
		return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.1f µs", float64(d)/float64(time.Microsecond))
}

func formatSpread(results []figures) string {
	costs := make([]time.Duration, len(results))
	for i, result := range results {
		costs[i] = result.cost
	}
	return formatCost(slices.Min(costs)) + " to " + formatCost(slices.Max(costs))
}

func formatMemory(bytes float64) string {
	switch {
	case bytes == 0:
		return ""
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MB", bytes/(1<<20))
	default:
		return fmt.Sprintf("%.1f KB", bytes/(1<<10))
	}
}

func formatNumber(n float64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f", n)
}
