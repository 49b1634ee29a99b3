package rest

import (
	"fmt"
	"time"

	"google.golang.org/grpc/status"

	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/wire"
)

// sse is the format of server-sent events.
type sse struct{}

func (sse) contentType() string { return "text/event-stream" }

func (sse) transport() requestctx.Transport { return requestctx.SSE }

func (sse) message(m *wire.Message, retry time.Duration) ([][]byte, error) {
	block, err := m.SSEParts()
	if err != nil {
		return nil, err
	}
	if retry == 0 {
		return block, nil
	}
	return append([][]byte{retryField(retry)}, block...), nil
}

// failure has no id, so that a client reconnects with that of the last message.
func (sse) failure(st *status.Status, retry time.Duration) [][]byte {
	return [][]byte{retryField(retry), wire.SSE("", "failure", grpcstatus.HTTPBody(st))}
}

// retryField is a line of the block that follows it: a block with only this line is
// an empty event for some clients.
func retryField(retry time.Duration) []byte {
	if retry == 0 {
		return nil
	}
	return fmt.Appendf(nil, "retry: %d\n", retry.Milliseconds())
}
