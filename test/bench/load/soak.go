package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/audian/participant-gateway/test/bench/load/serve"
)

// soakSettings are the flags of the soak test.
type soakSettings struct {
	settings

	conferences     int
	duration, every time.Duration
}

// soak runs a gateway with many subscribers of many conferences, each of which changes with
// every list. It prints the memory over time, and the time from the end of a list to its
// message at the last subscriber.
func soak(ctx context.Context, args []string) error {
	var s soakSettings
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.StringVar(&s.gateway, "gateway", defaultGateway, "the gateway's program")
	flags.IntVar(&s.subscribers, "subscribers", 5000, "subscribers of all conferences together, half of them over SSE and half over gRPC")
	flags.IntVar(&s.conferences, "conferences", 200, "conferences")
	flags.DurationVar(&s.duration, "duration", 20*time.Minute, "how long to run")
	flags.DurationVar(&s.every, "every", time.Minute, "the time between two lines")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("soak: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.duration+connectTimeout+time.Minute)
	defer cancel()
	b, err := newBench(ctx, s.settings)
	if err != nil {
		return err
	}
	defer b.stop()
	return b.soak(ctx, s, os.Stdout)
}

func (b *bench) soak(ctx context.Context, s soakSettings, out io.Writer) error {
	g, err := startGateway(ctx, b.gateway, b.upstream, 1)
	if err != nil {
		return err
	}
	defer g.stop()
	perConference := s.subscribers / s.conferences
	var d deliveries
	for i := range s.conferences {
		overGRPC := i%2 == 1
		if err := d.watch(ctx, g, fmt.Sprintf("%s-%d", serve.Conference(10, 1), i), perConference, overGRPC); err != nil {
			return err
		}
	}
	if err := d.waitForStreams(ctx, perConference*s.conferences); err != nil {
		return err
	}
	d.start()
	if err := d.report(ctx, g, s, out); err != nil {
		return err
	}
	return d.summary(out)
}

const soakHead = `
| after | memory | heap goal | CPU a message | messages a second | LAGGED |
| --- | --- | --- | --- | --- | --- |
`

// report prints a line at every interval until the duration is over.
func (d *deliveries) report(ctx context.Context, g *gateway, s soakSettings, out io.Writer) error {
	if _, err := io.WriteString(out, soakHead); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	for began := time.Now(); time.Since(began) < s.duration; {
		result, err := measure(ctx, g.process, s.every, d.count)
		if err != nil {
			return err
		}
		memory, err := g.memory()
		if err != nil {
			return err
		}
		goal, err := g.heapGoal(ctx)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "| %s | %s | %s | %s | %.0f | %d |\n", time.Since(began).Round(time.Second),
			formatMemory(memory), formatMemory(goal), formatCost(result.cost), result.rate, d.lagged.Load()); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	return nil
}

// summary prints percentiles of the time to the last subscriber.
func (d *deliveries) summary(out io.Writer) error {
	delays := d.delays()
	if len(delays) == 0 {
		return errors.New("no list reached all its subscribers")
	}
	slices.Sort(delays)
	at := func(share float64) string { return formatCost(delays[int(share*float64(len(delays)-1))]) }
	_, err := fmt.Fprintf(out, "\n%d lists, from the end of a list to its message at the last subscriber: median %s, p99 %s, longest %s\n",
		len(delays), at(0.5), at(0.99), at(1))
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
