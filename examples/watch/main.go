// Command watch watches a conference and prints its changes. It goes on after lost and silent
// connections, restarts and outages, because package client does.
//
// Usage:
//
//	go run ./examples/watch [-addr 127.0.0.1:9090] [-key KEY] [-for 10s] [CONFERENCE_ID]
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/audian/participant-gateway/client"
)

//nolint:forbidigo // A command owns its streams and its exit code.
func main() {
	addr := flag.String("addr", "127.0.0.1:9090", "the gateway's gRPC address")
	key := flag.String("key", "", "the API key, if the gateway asks for one")
	limit := flag.Duration("for", 365*24*time.Hour, "how long to watch")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ctx, cancel := context.WithTimeout(ctx, *limit)
	err := watch(ctx, *addr, *key, cmp.Or(flag.Arg(0), "conf_demo"), os.Stdout)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "watch:", err)
		os.Exit(1)
	}
}

//nolint:errcheck // Close never fails, and nobody reads an error of the output.
func watch(ctx context.Context, addr, key, conference string, out io.Writer) error {
	gateway, err := client.New(addr, client.WithKey(key))
	if err != nil {
		return err
	}
	defer gateway.Close()

	for state, err := range gateway.Watch(ctx, conference) {
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-12s %d participants, fresh: %t\n", state.Kind, len(state.Roster), state.Fresh)
		for _, change := range state.Changes {
			p := change.GetParticipant()
			kind := strings.TrimPrefix(change.GetKind().String(), "CHANGE_KIND_")
			status := strings.TrimPrefix(p.GetStatus().String(), "PARTICIPANT_STATUS_")
			fmt.Fprintf(out, "  %-10s %s is %s\n", kind, p.GetName(), status)
		}
	}
	return nil
}
