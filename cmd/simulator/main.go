// Command simulator serves a fake of Audian's conference API on loopback, for tests of the
// gateway or any other client.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/audian/participant-gateway/internal/simulator"
)

func main() {
	var f flags
	parsing := kong.Must(&f, kong.Name("simulator"), kong.Description("Simulates Audian's conference API."))
	if _, err := parsing.Parse(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "simulator: %v\n", err)
		os.Exit(2)
	}
	// A closed log pipe or terminal must not end the process.
	signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, f, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "simulator: %v\n", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, and then shuts down gracefully.
func run(ctx context.Context, f flags, out, logs io.Writer) error {
	options, err := f.options(slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: f.LogLevel})))
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", f.Addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: simulator.New(options).Handler(), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	f.printBanner(out, listener.Addr().String())
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
		return shutdown(ctx, server)
	}
}

// shutdown waits up to five seconds for active requests.
func shutdown(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	if err != nil {
		return fmt.Errorf("shut down: %w", err)
	}
	return nil
}
