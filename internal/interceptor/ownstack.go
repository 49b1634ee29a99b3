package interceptor

import (
	"context"
	"fmt"
)

// authorizeStream is authorize on another goroutine. Its checks need a large stack, and the goroutine of
// a stream would keep that for as long as the stream lasts.
func (i *Interceptor) authorizeStream(ctx context.Context, call *call) (authorized context.Context, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if panicked := recover(); panicked != nil {
				i.LogPanic(ctx, call.method, panicked)
				err = fmt.Errorf("panic: %v", panicked)
			}
		}()
		authorized, err = i.authorize(ctx, call)
	}()
	<-done
	return authorized, err
}
