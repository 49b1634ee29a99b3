package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

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
