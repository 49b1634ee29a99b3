package rpc

import (
	"bytes"
	"context"
	"encoding/base64"
	byteorder "encoding/binary"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/rest"
	"github.com/audian/participant-gateway/internal/wire"
)

// readWhole gives the request with a body that has arrived and is not compressed, or with
// the reason why it cannot be read, for the call to be refused by. A request of gRPC-Web's
// text form comes back in the binary form; the answer is then to be in text too.
func readWhole(w http.ResponseWriter, r *http.Request) (read *http.Request, inText bool) {
	r = r.Clone(r.Context())
	kind, inText := strings.CutPrefix(r.Header.Get("Content-Type"), webText)
	if inText {
		r.Header.Set("Content-Type", webBinary+kind)
	}
	fault := checkHeaders(r)
	var body []byte
	if fault == nil {
		body, fault = readMessage(w, r, inText)
	}
	if fault != nil {
		readable(r)
		r = withFault(r, fault)
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return r, inText
}

// readMessage reads the body in the form that connect-go takes without a fault.
func readMessage(w http.ResponseWriter, r *http.Request, inText bool) ([]byte, error) {
	body, err := rest.ReadBody(w, r)
	r.Header.Del(contentEncoding)
	if inText && err == nil {
		body, err = decodeBase64(body)
	}
	if err != nil {
		return nil, err
	}
	if r.Method == http.MethodGet {
		var query url.Values
		if query, err = inflateQuery(r.URL.Query()); err == nil {
			r.URL.RawQuery = query.Encode()
		}
		return body, err
	}
	if encoding := messageEncoding(r); encoding != "" {
		body, err = inflateMessage(r.Header.Get(encoding), body)
		r.Header.Del(encoding)
	}
	return body, err
}

// prefixSize is that of a message's prefix: a byte of flags, and four of length.
const prefixSize = 5

// inflateMessage takes the compression off the one message of a body.
func inflateMessage(encoding string, body []byte) ([]byte, error) {
	if len(body) < prefixSize || int64(byteorder.BigEndian.Uint32(body[1:])) != int64(len(body)-prefixSize) {
		return nil, invalidBody("must be one message")
	}
	message, err := rest.InflateMessage(body[0], encoding, body[prefixSize:])
	if err != nil {
		return nil, err
	}
	inflated := byteorder.BigEndian.AppendUint32(make([]byte, 1, prefixSize+len(message)), uint32(len(message)))
	return append(inflated, message...), nil
}

func invalidBody(rule string) error {
	return &apierror.Error{
		Reason: apierror.InvalidRequest, Message: "the body " + rule,
		Violations: []apierror.Violation{{Field: wire.WholeBody, Rule: "syntax", Message: rule}},
	}
}

// decodeBase64 reads a text that may have been encoded piece by piece, each padded.
func decodeBase64(text []byte) ([]byte, error) {
	var decoded []byte
	for piece := range bytes.SplitAfterSeq(bytes.ReplaceAll(text, []byte("=="), []byte("=")), []byte("=")) {
		part, err := base64.RawStdEncoding.AppendDecode(nil, bytes.TrimRight(piece, "="))
		if err != nil {
			return nil, &apierror.Error{
				Reason: apierror.InvalidRequest, Message: "invalid base64 body", Cause: err,
				Violations: []apierror.Violation{{Field: wire.WholeBody, Rule: "syntax", Message: "invalid base64"}},
			}
		}
		decoded = append(decoded, part...)
	}
	return decoded, nil
}

// faultKey is that of the reason why a request cannot be read.
type faultKey struct{}

func withFault(r *http.Request, fault error) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), faultKey{}, fault))
}

func bodyFault(ctx context.Context) error {
	fault, _ := ctx.Value(faultKey{}).(error)
	return fault
}
