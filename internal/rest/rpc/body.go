package rpc

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"strings"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/rest"
	"github.com/audian/participant-gateway/internal/wire"
)

// readWhole gives the request with a body that has arrived, or with the reason why it
// did not, for the call to be refused by. A request of gRPC-Web's text form comes back in
// the binary form; the answer is then to be in text too.
func readWhole(w http.ResponseWriter, r *http.Request) (read *http.Request, inText bool) {
	body, err := rest.ReadBody(w, r)
	kind, inText := strings.CutPrefix(r.Header.Get("Content-Type"), webText)
	if inText {
		r = r.Clone(r.Context())
		r.Header.Set("Content-Type", webBinary+kind)
		r.ContentLength = -1
	}
	if inText && err == nil {
		body, err = decodeBase64(body)
	}
	if err != nil {
		r = r.WithContext(context.WithValue(r.Context(), faultKey{}, err))
	} else {
		r = r.WithContext(r.Context())
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r, inText
}

// decodeBase64 reads a text that may have been encoded piece by piece, each padded.
func decodeBase64(text []byte) ([]byte, error) {
	var decoded []byte
	for piece := range bytes.SplitAfterSeq(bytes.ReplaceAll(text, []byte("=="), []byte("=")), []byte("=")) {
		part, err := base64.RawStdEncoding.AppendDecode(nil, bytes.TrimRight(piece, "="))
		if err != nil {
			return nil, &participant.Error{
				Reason: participant.InvalidRequest, Message: "the body is no base64", Cause: err,
				Violations: []participant.Violation{{Field: wire.WholeBody, Rule: "syntax", Message: "is no base64"}},
			}
		}
		decoded = append(decoded, part...)
	}
	return decoded, nil
}

// faultKey is that of the reason why a body could not be read.
type faultKey struct{}

func bodyFault(ctx context.Context) error {
	fault, _ := ctx.Value(faultKey{}).(error)
	return fault
}
