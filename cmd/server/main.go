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
	"github.com/audian/participant-gateway/internal/terminal"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) > 0 && terminal.IsCommand(args[0]) {
		return exitCode(runTerminal(args))
	}
	// The process must not end when the reader of its log or its terminal closes.
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

// runTerminal runs a command of the client for the terminal.
func runTerminal(args []string) error {
	err := terminal.Run(signalContext(), args, terminal.Process{In: os.Stdin, Out: os.Stdout, Errors: os.Stderr, Getenv: os.Getenv})
	usage, wrong := errors.AsType[*terminal.UsageError](err)
	switch {
	case errors.Is(err, terminal.ErrHelp):
		return nil
	case wrong:
		return config.UsageError(usage)
	default:
		return err
	}
}

// exitCode prints the error and returns the exit code for it.
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
	ctx := signalContext() // Before New, which may wait: a signal during it is a drain too.
	gateway, err := server.New(cfg, logger)
	if err != nil {
		return err
	}
	if err := gateway.Banner(os.Stdout); err != nil {
		logger.Warn("the banner was not written", slog.Any("error", err))
	}
	if len(cfg.Ignored) > 0 {
		logger.Warn("environment variables without effect", slog.String("names", strings.Join(cfg.Ignored, " ")))
	}
	if cfg.Access.Auth == config.AuthNone {
		logger.Info("callers are not authenticated; their credentials are ignored")
	}
	reopenAtHangup(gateway.ReopenAudit)
	return gateway.Run(ctx)
}

// signalContext returns a context that ends at the first SIGINT or SIGTERM. The second signal
// ends the process at once (W16).
func signalContext() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		os.Exit(signalExitCode(<-signals))
	}()
	return ctx
}

// reopenAtHangup calls reopen at each SIGHUP.
func reopenAtHangup(reopen func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for range hangups {
			reopen()
		}
	}()
}

// signalExitCode returns the exit code that a shell reports for a process that a signal ended.
func signalExitCode(received os.Signal) int {
	number, _ := received.(syscall.Signal)
	return 128 + int(number)
}
