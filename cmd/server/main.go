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
	// A reader of the log that goes away, or a terminal, ends nothing.
	signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP)
	if len(args) > 0 && args[0] == "keys" {
		return exitCode(editKeys(args[1:], os.Stdout))
	}
	cfg, err := config.Parse(args, os.Environ(), os.Stdout)
	if err != nil {
		return exitCode(err)
	}
	return exitCode(serve(cfg, server.NewLogger(os.Stderr, cfg.Log)))
}

// exitCode tells of what ended the process, and how it ends.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(os.Stderr, "server: "+text)
	}
	if exit, ok := errors.AsType[*config.ExitError](err); ok {
		return exit.Code
	}
	return 1
}

func serve(cfg config.Config, logger *slog.Logger) error {
	gateway, err := server.New(cfg, logger)
	if err != nil {
		return err
	}
	if err := gateway.Banner(os.Stdout); err != nil {
		logger.Warn("the banner was not written", slog.Any("error", err))
	}
	if len(cfg.Ignored) > 0 {
		logger.Warn("variables that are set to no effect", slog.String("names", strings.Join(cfg.Ignored, " ")))
	}
	if cfg.Access.Auth == config.AuthNone {
		logger.Info("callers are not authenticated: credentials that they send are ignored")
	}
	return gateway.Run(signalled())
}

// signalled is a context that the first signal to stop ends. The second ends the process
// at once, however soon it follows (W16).
func signalled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		os.Exit(signalStatus(<-signals))
	}()
	return ctx
}

// signalStatus is the exit code that a shell reports of a process that a signal ended.
func signalStatus(received os.Signal) int {
	number, _ := received.(syscall.Signal)
	return 128 + int(number)
}
