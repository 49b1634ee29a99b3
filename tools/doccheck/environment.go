package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/server"
	"github.com/audian/participant-gateway/internal/simulator"
)

// The gateway's addresses in the pages and for the callers.
const (
	defaultHTTP = "127.0.0.1:8080"
	defaultGRPC = "127.0.0.1:9090"
)

// environment is a gateway with the simulator as its upstream, on free ports.
type environment struct {
	// addresses maps the default addresses, which the pages contain, to the actual ones.
	addresses map[string]string
	stop      func()
}

// start runs the gateway and the simulator until stop is called.
func start(ctx context.Context, auth string, log io.Writer) (*environment, error) {
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelError}))
	upstream, address, err := startSimulator(ctx)
	if err != nil {
		return nil, err
	}
	gateway, err := newGateway(auth, address, logger) //nolint:contextcheck // Run takes the context.
	if err != nil {
		_ = upstream.Close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- gateway.Run(ctx) }()
	b := &environment{addresses: map[string]string{
		defaultGRPC:      gateway.GRPCAddr(),
		defaultHTTP:      gateway.HTTPAddr(),
		"127.0.0.1:9091": gateway.AdminAddr(),
		"127.0.0.1:8095": address,
	}}
	b.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			logger.Error("the gateway failed", slog.String("error", err.Error()))
		}
		_ = upstream.Close()
	}
	return b, nil
}

func startSimulator(ctx context.Context) (*http.Server, string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", fmt.Errorf("listen for the simulator: %w", err)
	}
	sim := simulator.New(simulator.Options{Demo: true, Seed: 1, LingerDisconnected: 5 * time.Second})
	upstream := &http.Server{Handler: sim.Handler(), ReadHeaderTimeout: time.Second}
	go func() { _ = upstream.Serve(listener) }() // Close ends it.
	return upstream, listener.Addr().String(), nil
}

// newGateway returns a gateway configured by flags.
func newGateway(auth, upstream string, logger *slog.Logger) (*server.Server, error) {
	args := []string{
		"--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0",
		"--upstream-url=http://" + upstream + "/v2", "--auth=" + auth, "--drain-timeout=2s",
	}
	if auth == config.AuthNone {
		args = append(args, "--upstream-token=doccheck")
	}
	cfg, err := config.Parse(args, nil, io.Discard)
	if err != nil {
		return nil, fmt.Errorf("configure the gateway: %w", err)
	}
	gateway, err := server.New(cfg, logger)
	if err != nil {
		return nil, fmt.Errorf("start the gateway: %w", err)
	}
	return gateway, nil
}

// substitute replaces the default addresses by the actual ones.
func (b *environment) substitute(script string) string {
	for standard, actual := range b.addresses {
		script = strings.ReplaceAll(script, standard, actual)
	}
	return script
}

// restore replaces the actual addresses by the default ones.
func (b *environment) restore(printed string) string {
	for standard, actual := range b.addresses {
		printed = strings.ReplaceAll(printed, actual, standard)
	}
	return printed
}
