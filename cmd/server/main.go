// Command server is the participant gateway.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/server"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	cfg, err := config.Parse(args, os.LookupEnv, os.Stdout)
	if exit, ok := errors.AsType[*config.ExitError](err); ok {
		if text := exit.Error(); text != "" {
			fmt.Fprintln(os.Stderr, "server: "+text)
		}
		return exit.Code
	}
	if err != nil {
		return fail(err)
	}
	if err := serve(cfg, server.NewLogger(os.Stderr, cfg.Log)); err != nil {
		return fail(err)
	}
	return 0
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "server:", err)
	return 1
}

func serve(cfg config.Config, logger *slog.Logger) error {
	gateway, err := server.New(cfg, logger)
	if err != nil {
		return err
	}
	if err := gateway.Banner(os.Stdout); err != nil {
		return err
	}
	if len(cfg.Ignored) > 0 {
		logger.Warn("variables that are set to no effect", slog.String("names", strings.Join(cfg.Ignored, " ")))
	}
	if cfg.Access.Auth == config.AuthNone {
		logger.Info("callers are not authenticated: credentials that they send are ignored")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the next one stops at once, as it does by itself.
	context.AfterFunc(ctx, stop)
	return gateway.Run(ctx)
}
