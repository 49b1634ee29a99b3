package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/audian/participant-gateway/test/bench/load/serve"
)

// point is one measurement of a conference: how many participants it has, how many of them
// change with each list, how many subscribers receive the changes, and how many have a filter
// that no participant passes.
type point struct{ participants, changed, subscribers, others int }

// axes are points that differ in one number, which is the axis' name.
var axes = []struct {
	name   string
	points []point
}{
	{"participants changed", []point{{1000, 0, 100, 0}, {1000, 1, 100, 0}, {1000, 10, 100, 0}, {1000, 100, 100, 0}, {1000, 1000, 100, 0}}},
	{"subscribers of the filter", []point{{100, 10, 1, 0}, {100, 10, 10, 0}, {100, 10, 100, 0}, {100, 10, 1000, 0}, {100, 10, 4000, 0}}},
	{"subscribers of another filter", []point{{100, 10, 100, 0}, {100, 10, 100, 100}, {100, 10, 100, 1000}, {100, 10, 100, 4000}}},
	{"participants", []point{{10, 10, 100, 0}, {100, 10, 100, 0}, {1000, 10, 100, 0}, {4000, 10, 100, 0}}},
}

// growth prints how the cost of a poll and of what it delivers grows.
func growth(ctx context.Context, args []string) error {
	s := settings{polls: 10, warmUp: time.Second}
	flags := flag.NewFlagSet("growth", flag.ContinueOnError)
	flags.StringVar(&s.gateway, "gateway", defaultGateway, "the gateway's program")
	flags.Float64Var(&s.seconds, "seconds", 5, "seconds of one measurement")
	flags.DurationVar(&s.limit, "limit", 10*time.Minute, "the command ends after this time, whatever happens")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("growth: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	b, err := newBench(ctx, s)
	if err != nil {
		return err
	}
	defer b.stop()
	return b.growth(ctx, os.Stdout)
}

const growthHead = `
| axis | participants | changed | subscribers | of another filter | CPU a list |
| --- | --- | --- | --- | --- | --- |
`

func (b *bench) growth(ctx context.Context, out io.Writer) error {
	if _, err := io.WriteString(out, growthHead); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	for _, axis := range axes {
		for _, at := range axis.points {
			result, err := b.measurePoint(ctx, at)
			if err != nil {
				return fmt.Errorf("%s: %+v: %w", axis.name, at, err)
			}
			if _, err := fmt.Fprintf(out, "| %s | %d | %d | %d | %d | %s |\n",
				axis.name, at.participants, at.changed, at.subscribers, at.others, formatCost(result.cost)); err != nil {
				return fmt.Errorf("print: %w", err)
			}
		}
	}
	return nil
}

// measurePoint measures the processor time for each list, and what it causes.
func (b *bench) measurePoint(ctx context.Context, at point) (figures, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, err := startGateway(ctx, b.gateway, b.upstream, b.polls)
	if err != nil {
		return figures{}, err
	}
	defer g.stop()
	conference := serve.Conference(at.participants, at.changed)
	var c counters
	for query, streams := range map[string]int{"": at.subscribers, "&roles=operator": at.others} {
		request := watchRequest(g.httpAddr, conference, eventStream, query)
		if err := textStreams(ctx, dialTo(g.httpAddr), streams, request, textMark, &c); err != nil {
			return figures{}, err
		}
	}
	if err := c.waitForStreams(ctx, at.subscribers+at.others); err != nil {
		return figures{}, err
	}
	return b.measurePolls(ctx, g.process, conference)
}
