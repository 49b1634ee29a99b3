package write

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/participant"
)

// recovered keeps a panic of one operation, nil where there was none, from ending the
// process: its callers get an error, and the other operations go on.
func (w *Writer) recovered(ctx context.Context, op *addOperation, panicked any) {
	if panicked == nil {
		return
	}
	w.log.LogAttrs(ctx, slog.LevelError, "panic",
		slog.String("conference_id", op.request.key.Conference),
		slog.String("panic", fmt.Sprint(panicked)),
		slog.String("stack", string(debug.Stack())))
	panics.Count()
	w.mu.Lock()
	defer w.mu.Unlock()
	dialled := apierror.DialledNo
	if op.sent() {
		dialled = apierror.DialledUnknown
		w.claims.leaveUnresolved(op, nil)
	}
	w.settle(op, participant.Item{}, unnamed(fmt.Errorf("panic: %v", panicked), dialled))
	delete(w.operations, op)
}
