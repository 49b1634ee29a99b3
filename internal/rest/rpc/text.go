package rpc

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"
)

// The media types of gRPC-Web, before their `+proto`. Text is base64 of binary: browsers'
// XMLHttpRequest streams nothing else.
const (
	webBinary = "application/grpc-web"
	webText   = "application/grpc-web-text"
)

// base64Writer makes an answer in gRPC-Web's text form of one in the binary form: what is
// written from one flush to the next is one padded piece.
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

// Flush sends the piece. An error is found with the next one: http.Flusher has none.
func (b *base64Writer) Flush() {
	b.send()
	_ = http.NewResponseController(b.ResponseWriter).Flush()
}

// finish sends what is left once the handler has returned.
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
