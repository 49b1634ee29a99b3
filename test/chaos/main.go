// Command chaos is the chaos test: it injects faults into a real gateway process and checks
// its promises. A proxy between the gateway and the simulator delays, trickles and cuts;
// watchers apply every message strictly and resume with their last token; writers add and
// remove participants. Experiments run in random order, drawn from the seed, until each
// has run and the time is over. Those that need a minute, or an upstream of their own, run
// beside them, each on its own gateway.
//
// It checks W1 to W4, W7, W8, W10, W12, W13, W15, W16 and A1, A2, A5, A6: no change lost or
// invented, one order for all watchers, a resume without gaps, no phone dialled twice, no
// removal without proof, no STALE while lists succeed, no leak. The report holds what was
// done and which rules were broken; any violation is exit code 1. The seed repeats
// experiments, faults and participants, but not the timing of the machine.
//
// Not covered are steps of the machine's clock, which need root. Instead the upstream's
// times change, and the gateway's process is stopped for seconds.
//
// Usage, at the top of the repository:
//
//	go run ./test/chaos -server bin/server [-seed 1] [-seconds 60] [-only "slow"]
//
// With -replicas 3 it tests gateways that share a Redis (R1 to R8): each of them is killed,
// stopped and cut off from Redis, and Redis restarts with and without its data, while watchers
// and writers go from one to another.
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
	// replicas is the number of gateways that share a Redis; 0: one gateway without Redis.
	replicas int
}

func main() {
	var s settings
	flag.StringVar(&s.server, "server", "bin/server", "the gateway's program")
	flag.Uint64Var(&s.seed, "seed", 1, "experiments and participants are drawn from it")
	flag.IntVar(&s.seconds, "seconds", 60, "how long to run at least")
	flag.IntVar(&s.churn, "churn", 10_000, "streams opened and closed in the experiment of that name")
	flag.StringVar(&s.only, "only", "", "run only experiments whose name contains this")
	flag.IntVar(&s.replicas, "replicas", 0, "gateways that share a Redis, which fails; 0: one gateway without Redis")
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
