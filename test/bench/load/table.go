package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"time"
)

// settings are the flags.
type settings struct {
	gateway, peers, cases       string
	profiles                    string
	subscribers                 int
	textBytes, messageBytes     int
	events, calls, lists, polls float64
	rounds                      int
	seconds                     float64
	// warmUp is the time between the start of a load and its measurement.
	warmUp time.Duration
	limit  time.Duration
}

func parseSettings(args []string) (s settings, err error) {
	flags := flag.NewFlagSet("table", flag.ContinueOnError)
	flags.StringVar(&s.gateway, "gateway", defaultGateway, "the gateway's program")
	flags.StringVar(&s.peers, "peers", "", "the program of the peers; empty: no peers")
	flags.StringVar(&s.cases, "cases", "", "a regular expression; only cases whose name matches it are measured")
	flags.StringVar(&s.profiles, "profiles", "",
		"a directory for CPU profiles of the servers in the last round; also prints what groups of functions cost")
	flags.IntVar(&s.subscribers, "subscribers", 1000, "subscribers of a stream")
	flags.Float64Var(&s.events, "events", 20, "events a second for each subscriber")
	flags.IntVar(&s.textBytes, "text-bytes", 560, "size of the references' events as text; the gateway's is in the table")
	flags.IntVar(&s.messageBytes, "message-bytes", 175, "size of the references' gRPC messages; the gateway's is in the table")
	flags.Float64Var(&s.calls, "calls", 1000, "calls a second that list one participant")
	flags.Float64Var(&s.lists, "lists", 50, "calls a second that list 1,000 participants")
	flags.Float64Var(&s.polls, "polls", 100, "polls a second")
	flags.IntVar(&s.rounds, "rounds", 3, "rounds; each measures every case once")
	flags.Float64Var(&s.seconds, "seconds", 3, "seconds of one measurement")
	flags.DurationVar(&s.warmUp, "warm-up", time.Second, "the time between the start of a load and its measurement")
	flags.DurationVar(&s.limit, "limit", 20*time.Minute, "the command ends after this time, whatever happens")
	if err := flags.Parse(args); err != nil {
		return s, fmt.Errorf("table: %w", err)
	}
	counts, rates := min(s.subscribers, s.rounds, s.textBytes, s.messageBytes), min(s.events, s.calls, s.lists, s.polls, s.seconds)
	if flags.NArg() > 0 || counts < 1 || rates <= 0 {
		return s, errors.New("table: numbers must be positive, and there are no arguments besides flags")
	}
	return s, nil
}

// table prints the table of costs.
func table(ctx context.Context, args []string) error {
	s, err := parseSettings(args)
	if err != nil {
		return err
	}
	selected, err := regexp.Compile(s.cases)
	if err != nil {
		return fmt.Errorf("-cases: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	b, err := newBench(ctx, s)
	if err != nil {
		return err
	}
	defer b.stop()
	scenarios := b.scenarios(selected)
	for round := range s.rounds {
		if err := b.round(ctx, round, scenarios); err != nil {
			return err
		}
	}
	if err := printTable(os.Stdout, scenarios); err != nil || s.profiles == "" {
		return err
	}
	return saveProfiles(s.profiles, scenarios, os.Stdout)
}

// round measures every contender once, in turn.
func (b *bench) round(ctx context.Context, round int, scenarios []*scenario) error {
	for _, s := range scenarios {
		for _, c := range s.contenders {
			result, err := c.measure(ctx)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", s.name, c.name, err)
			}
			c.results = append(c.results, result)
			fmt.Fprintf(os.Stderr, "round %d: %s: %s: %s\n", round+1, s.name, c.name, formatCost(result.cost))
		}
	}
	return nil
}
