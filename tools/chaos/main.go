// Command chaos runs a real gateway into every trouble it is built for, and checks all
// the while that it keeps its word. Between gateway and simulated upstream is a proxy
// that delays, trickles and cuts; watchers apply what they are told strictly and come
// back with their last token; writers add and remove; and drills go through what can
// fail, in an order drawn from the seed, until each has run and the time is over.
//
// It holds the gateway to W1 to W4, W7, W8, W12, W13, W16 and A1, A2: nothing lost at
// rest, nothing invented, one order for everybody, a resume that gives what was missed,
// no phone rung twice, nothing leaked. The report says what was done and what was
// broken; anything broken is exit code 1. The seed repeats drills, faults and people;
// what the machine does between them is real time, and differs.
//
// What it does not cover: steps of the machine's clock, which need root. In their place
// the upstream's times jump, and the gateway's process is stopped and goes on later.
//
// Usage, at the top of the repository:
//
//	go run ./tools/chaos -server bin/server [-seed 1] [-seconds 60] [-report bin/chaos.json]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// settings are what the command line says.
type settings struct {
	server  string
	seed    uint64
	seconds int
	churn   int
	only    string
	report  string
	log     string
}

func main() {
	var s settings
	flag.StringVar(&s.server, "server", "bin/server", "the gateway's program")
	flag.Uint64Var(&s.seed, "seed", 1, "drills and people are drawn from it")
	flag.IntVar(&s.seconds, "seconds", 60, "how long to go on at least")
	flag.IntVar(&s.churn, "churn", 10_000, "streams opened and closed in the experiment of that name")
	flag.StringVar(&s.only, "only", "", "run only experiments whose name contains this")
	flag.StringVar(&s.report, "report", "bin/chaos.json", "file for the report")
	flag.StringVar(&s.log, "log", "bin/chaos.log", "file for the gateway's log")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok, err := run(ctx, s, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// bound is how long a run may take whatever happens: all processes end with it.
func (s settings) bound() time.Duration { return time.Duration(s.seconds)*time.Second + 3*time.Minute }
