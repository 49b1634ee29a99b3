package rpc

import (
	"context"

	"github.com/audian/participant-gateway/internal/rest"
)

type answerKey struct{}

func withAnswer(ctx context.Context, a *rest.TimedWriter) context.Context {
	return context.WithValue(ctx, answerKey{}, a)
}

// answerOf is the answer to the call that ctx belongs to.
func answerOf(ctx context.Context) *rest.TimedWriter {
	a, _ := ctx.Value(answerKey{}).(*rest.TimedWriter)
	return a
}
