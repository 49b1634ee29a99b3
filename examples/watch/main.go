// Command watch is a small but complete client. It watches a conference, keeps its
// roster, and prints the changes. When a stream ends, it calls again with the last
// resume token, so that it misses no change.
//
// Usage:
//
//	go run ./examples/watch [-addr 127.0.0.1:9090] [-for 10s] [CONFERENCE_ID]
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

//nolint:forbidigo // A command owns its streams and its exit code.
func main() {
	addr := flag.String("addr", "127.0.0.1:9090", "the gateway's gRPC address")
	limit := flag.Duration("for", 0, "how long to watch; 0 means until interrupted")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *addr, cmp.Or(flag.Arg(0), "conf_demo"), *limit, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "watch:", err)
		os.Exit(1)
	}
}

// keepaliveParams make grpc-go close a connection whose peer no longer responds. Without
// them the next call would use the same broken connection. The gateway allows a ping
// every 5 s.
var keepaliveParams = keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 5 * time.Second}

func run(ctx context.Context, addr, conference string, limit time.Duration, out io.Writer) error {
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	connection, err := grpc.NewClient(addr,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithKeepaliveParams(keepaliveParams))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer connection.Close() //nolint:errcheck // The process ends here.

	f := newFollower(v2.NewParticipantServiceClient(connection), conference)
	f.onMessage = func(m *v2.WatchParticipantsResponse) { show(out, m, len(f.roster)) }
	err = f.follow(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		return nil // The time of -for has passed, or the user stopped the program.
	}
	return err
}

// show prints one message and the size of the roster after it.
func show(out io.Writer, message *v2.WatchParticipantsResponse, size int) {
	for _, change := range message.GetChanges().GetChanges() {
		p := change.GetParticipant()
		printLinef(out, "%-12s %s is %s", enumName(change.GetKind()), p.GetName(), enumName(p.GetStatus()))
	}
	switch {
	case message.GetSnapshot() != nil:
		printLinef(out, "%-12s %d participants", "SNAPSHOT", size)
	case message.GetCheckpoint() != nil:
		printLinef(out, "%-12s %s, %d participants", "CHECKPOINT", enumName(message.GetCheckpoint().GetFreshness()), size)
	case message.GetEnd() != nil:
		printLinef(out, "%-12s the conference has ended", "END")
	}
}

// printLinef prints one line. It ignores an error of out: there is no other place to report it.
func printLinef(out io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(out, format+"\n", args...)
}
