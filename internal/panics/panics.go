// Package panics keeps a panic in background work from ending the process: it is logged
// with its stack and counted, and the work's owner decides how to go on. Handlers have an
// interceptor of their own for that.
package panics

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
)

// recovered is the number of panics since the process started.
var recovered atomic.Int64

// Recovered is the number of panics that were recovered, for the metrics.
func Recovered() int64 { return recovered.Load() }

// Count counts a panic that was recovered elsewhere.
func Count() { recovered.Add(1) }

// Recover calls work and returns the panic that ended it as an error, nil where none did.
// The name says in the log which work it was.
func Recover(logger *slog.Logger, name string, work func()) (err error) {
	defer func() {
		if value := recover(); value != nil {
			Count()
			err = fmt.Errorf("panic: %v", value)
			logger.Error("panic in background work",
				slog.String("work", name), slog.String("panic", fmt.Sprint(value)), slog.String("stack", string(debug.Stack())))
		}
	}()
	work()
	return nil
}
