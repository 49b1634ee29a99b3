// Command ratios reads `go test -bench` output and prints how the gateway's way
// compares with the plain one: for each benchmark, the plain time over that of each
// other way within the same run, by which single machines and their moods cancel out.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// plainWay is the sub-benchmark that the others of its benchmark are compared with.
const plainWay = "plain"

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "ratios:", err)
		os.Exit(1)
	}
}

// run copies the benchmarks' output and adds the ratios.
func run(in io.Reader, out io.Writer) error {
	times := map[string]map[string][]float64{}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if _, err := fmt.Fprintln(out, lines.Text()); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		if name, way, ns, ok := parse(lines.Text()); ok {
			if times[name] == nil {
				times[name] = map[string][]float64{}
			}
			times[name][way] = append(times[name][way], ns)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return report(out, times)
}

// parse reads a line such as "BenchmarkPoll/plain-2  300  3700000 ns/op".
func parse(line string) (name, way string, ns float64, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") || fields[3] != "ns/op" {
		return "", "", 0, false
	}
	name, way, ok = strings.Cut(fields[0], "/")
	way, _, _ = strings.Cut(way, "-")
	ns, err := strconv.ParseFloat(fields[2], 64)
	return strings.TrimPrefix(name, "Benchmark"), way, ns, ok && err == nil
}

func report(out io.Writer, times map[string]map[string][]float64) error {
	names := slices.Sorted(maps.Keys(times))
	if len(names) == 0 {
		return errors.New("no benchmark in the input")
	}
	for _, name := range names {
		if err := reportOne(out, name, times[name]); err != nil {
			return err
		}
	}
	return nil
}

// reportOne compares each way of a benchmark with the plain one.
func reportOne(out io.Writer, name string, ways map[string][]float64) error {
	plain := median(ways[plainWay])
	if plain == 0 || len(ways) == 1 {
		return fmt.Errorf("%s: not measured both ways", name)
	}
	for _, way := range slices.Sorted(maps.Keys(ways)) {
		if way == plainWay {
			continue
		}
		if _, err := fmt.Fprintf(out, "ratio %-10s plain / %s = %.2f\n", name, way, plain/median(ways[way])); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	return nil
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}
