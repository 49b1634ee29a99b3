// Package panics recovers from panics in background work, which would end the process. It logs
// and counts them. Package interceptor does the same for calls.
package panics

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
)

// recovered is the number of recovered panics since the process started.
var recovered atomic.Int64

// Recovered returns the number of recovered panics, for the metrics.
func Recovered() int64 { return recovered.Load() }

// Count counts a panic that other code recovered.
func Count() { recovered.Add(1) }

// Recover calls work, and returns a panic of work as an error. The log contains the name.
func Recover(logger *slog.Logger, name string, work func()) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = Report(logger, name, value)
		}
	}()
	work()
	return nil
}

// Error counts a panic that a deferred function has recovered, and returns it as an error with the stack:
// the log of whatever failed then has both.
func Error(value any) error {
	Count()
	return fmt.Errorf("panic: %v\n%s", value, debug.Stack())
}

// Report logs and counts a panic that a deferred function has recovered, and returns it as an error.
func Report(logger *slog.Logger, name string, value any) error {
	Count()
	logger.Error("panic in background work",
		slog.String("work", name), slog.String("panic", fmt.Sprint(value)), slog.String("stack", string(debug.Stack())))
	return fmt.Errorf("panic: %v", value)
}
