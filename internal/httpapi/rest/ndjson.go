package rest

import (
	"time"

	"google.golang.org/grpc/status"

	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/wire"
)

// ndjson is the format of one JSON text a line.
type ndjson struct{}

func (ndjson) contentType() string { return "application/x-ndjson" }

func (ndjson) transport() requestctx.Transport { return requestctx.NDJSON }

func (ndjson) message(m *wire.Message, _ time.Duration) ([][]byte, error) {
	return m.JSONParts()
}

func (ndjson) failure(st *status.Status, _ time.Duration) [][]byte {
	return [][]byte{grpcstatus.HTTPBody(st), {'\n'}}
}
