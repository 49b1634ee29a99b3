// Command load measures what the gateway costs. It starts servers as processes of their own,
// drives them with clients that only count, and reads the servers' processor time and memory
// from /proc. Beside the gateway it measures reference servers, which package serve contains,
// in the same run and in turn, so that the ratios can be compared between machines.
//
// It runs on Linux. Everything listens on loopback, on ports that the system chooses, and
// ends with the command.
//
// Usage, at the top of the repository:
//
//	go run ./test/bench/load table     what events, calls, polls and starts cost
//	go run ./test/bench/load growth    what the cost of a list grows with
//	go run ./test/bench/load soak      memory and delays over a long time
//	go run ./test/bench/load idle      memory of many idle subscribers
//	go run ./test/bench/load serve     a server, for the other commands
//
// -help lists the flags of a command.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/audian/participant-gateway/test/bench/load/serve"
)

// commands are the commands by name.
var commands = map[string]func(ctx context.Context, args []string) error{
	"table":  table,
	"growth": growth,
	"soak":   soak,
	"idle":   idle,
	"serve":  runServer,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 || commands[args[0]] == nil {
		return errors.New("name a command: see the documentation of this package")
	}
	return commands[args[0]](ctx, args[1:])
}

// runServer runs a server until its standard input ends, so that it never outlives the
// process that started it.
func runServer(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	var o serve.Options
	flags.StringVar(&o.Upstream, "upstream", "", "base URL of the upstream")
	flags.StringVar(&o.Conference, "conference", "", "the conference that a poller reads")
	flags.Float64Var(&o.Rate, "rate", 1, "events or polls a second")
	flags.IntVar(&o.Size, "size", 300, "bytes of an event's data")
	flags.BoolVar(&o.Pprof, "pprof", false, "serve profiles, at the address in the second line of the output")
	if len(args) == 0 {
		return errors.New("name a kind of server: " + serve.Kinds())
	}
	if err := flags.Parse(args[1:]); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	return serve.Run(ctx, args[0], o, os.Stdout)
}
