package interceptor

import (
	"context"
	"fmt"
)

// authorizeStream is authorize on another goroutine. Its checks need a large stack, and the goroutine of
// a stream would keep that for as long as the stream lasts.
func (i *Interceptor) authorizeStream(ctx context.Context, call *call) (context.Context, error) {
	authorized, refused := make(chan context.Context, 1), make(chan error, 1)
	go func() {
		defer func() {
			if panicked := recover(); panicked != nil {
				i.LogPanic(ctx, call.method, panicked)
				refused <- fmt.Errorf("panic: %v", panicked)
			}
		}()
		if with, err := i.authorize(ctx, call); err != nil {
			refused <- err
		} else {
			authorized <- with
		}
	}()
	select {
	case with := <-authorized:
		return with, nil
	case err := <-refused:
		return nil, err
	}
}
