package connectrpc

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"
)

// The media types of gRPC-Web, without their suffix such as +proto. Text is the base64
// encoding of binary: XMLHttpRequest in browsers streams nothing else.
const (
	webBinary = "application/grpc-web"
	webText   = "application/grpc-web-text"
)

// base64Writer converts a response in gRPC-Web's binary form to the text form. What is
// written between two flushes is one padded piece.
type base64Writer struct {
	http.ResponseWriter

	piece   bytes.Buffer
	started bool
}

func (b *base64Writer) WriteHeader(status int) {
	b.started = true
	header := b.Header()
	if kind, isWeb := strings.CutPrefix(header.Get("Content-Type"), webBinary); isWeb {
		header.Set("Content-Type", webText+kind)
	}
	b.ResponseWriter.WriteHeader(status)
}

func (b *base64Writer) Write(p []byte) (int, error) {
	return b.piece.Write(p) //nolint:wrapcheck // A buffer never fails.
}

// Flush sends the piece. http.Flusher returns no error; the next write does.
func (b *base64Writer) Flush() {
	b.send()
	_ = http.NewResponseController(b.ResponseWriter).Flush()
}

// finish sends the last piece once the handler has returned.
func (b *base64Writer) finish() { b.send() }

func (b *base64Writer) send() {
	if !b.started {
		b.WriteHeader(http.StatusOK)
	}
	if b.piece.Len() == 0 {
		return
	}
	encoded := base64.StdEncoding.AppendEncode(nil, b.piece.Bytes())
	b.piece.Reset()
	_, _ = b.ResponseWriter.Write(encoded)
}
