// Command peers runs other servers that send events to subscribers, for test/bench/load: the
// library of Centrifugo, and NATS. Each is configured as its documentation begins, without
// history, presence or persistence, so that it only sends.
//
// Usage, as of package serve in test/bench/load:
//
//	peers serve KIND [-rate 20] [-size 300]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// options are the flags of a server.
type options struct {
	rate float64
	size int
}

// servers are the servers by kind. Each writes its address to out, and serves until ctx ends.
var servers = map[string]func(ctx context.Context, o options, out io.Writer) error{
	"centrifuge": serveCentrifuge,
	"nats":       serveNATS,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// run runs a server until its standard input ends, so that it never outlives the process that
// started it.
func run(ctx context.Context, args []string) error {
	if len(args) < 2 || args[0] != "serve" || servers[args[1]] == nil {
		return errors.New("usage: peers serve centrifuge|nats")
	}
	var o options
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.Float64Var(&o.rate, "rate", 1, "events a second")
	flags.IntVar(&o.size, "size", 300, "bytes of an event's data")
	flags.String("upstream", "", "ignored")
	if err := flags.Parse(args[2:]); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	return servers[args[1]](ctx, o, os.Stdout)
}

// data is the JSON data of an event.
func (o options) data() string {
	const frame = `{"data":""}`
	return `{"data":"` + strings.Repeat("x", max(0, o.size-len(frame))) + `"}`
}

// publish calls send at the rate until ctx ends or send fails.
func (o options) publish(ctx context.Context, send func() error) error {
	ticker := time.NewTicker(time.Duration(float64(time.Second) / o.rate))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := send(); err != nil {
				return err
			}
		}
	}
}

// writeAddress writes the address on which a server listens.
func writeAddress(out io.Writer, addr fmt.Stringer) error {
	if _, err := fmt.Fprintln(out, addr); err != nil {
		return fmt.Errorf("write the address: %w", err)
	}
	return nil
}
