package rest

import (
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc/status"

	"github.com/audian/participant-gateway/internal/wire"
)

// format is one of the forms in which a watch is streamed. What it returns is
// written as it is; some of it is shared with other streams.
type format interface {
	contentType() string
	// message is one message; a retry that is not zero goes with it.
	message(m *wire.Message, retry time.Duration) ([][]byte, error)
	// failure is the last event of a stream that failed.
	failure(st *status.Status, retry time.Duration) [][]byte
}

func formatFor(r *http.Request) format {
	for _, accept := range r.Header.Values("Accept") {
		for one := range strings.SplitSeq(accept, ",") {
			if mediaType, with, err := mime.ParseMediaType(one); err == nil && mediaType == sseType && !unwanted(with["q"]) {
				return sse{}
			}
		}
	}
	return ndjson{}
}

// unwanted says that a media type's quality is nought, which means not this one.
func unwanted(quality string) bool {
	return quality != "" && strings.Trim(quality, "0.") == ""
}

const sseType = "text/event-stream"

// sse is server-sent events.
type sse struct{}

func (sse) contentType() string { return sseType }

func (sse) message(m *wire.Message, retry time.Duration) ([][]byte, error) {
	block, err := m.SSE()
	if err != nil {
		return nil, err
	}
	return [][]byte{retryField(retry), block}, nil
}

// failure has no id, so that a client comes back with that of the last message.
func (sse) failure(st *status.Status, retry time.Duration) [][]byte {
	return [][]byte{retryField(retry), wire.SSE("", "failure", wire.ErrorBody(st))}
}

// retryField is a line of the block that follows: alone it would be an empty event
// to some clients.
func retryField(retry time.Duration) []byte {
	if retry == 0 {
		return nil
	}
	return fmt.Appendf(nil, "retry: %d\n", retry.Milliseconds())
}

// ndjson is one JSON text a line.
type ndjson struct{}

func (ndjson) contentType() string { return "application/x-ndjson" }

func (ndjson) message(m *wire.Message, _ time.Duration) ([][]byte, error) {
	line, err := m.JSON()
	if err != nil {
		return nil, err
	}
	return [][]byte{line, newline}, nil
}

func (ndjson) failure(st *status.Status, _ time.Duration) [][]byte {
	return [][]byte{wire.ErrorBody(st), newline}
}

var newline = []byte{'\n'}
