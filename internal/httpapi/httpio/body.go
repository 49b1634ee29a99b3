// Package httpio contains what the HTTP transports share: reading request bodies, headers
// in and out, deadlines of clients that do not send or read, error responses, and the
// grpc.ServerStream over an HTTP response.
package httpio

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/audian/participant-gateway/internal/apierror"
)

// WholeBody is the field of a violation that concerns the body as a whole.
const WholeBody = "body"

const (
	contentEncodingHeader = "Content-Encoding"
	gzipEncoding          = "gzip"
)

// ReadBody reads a request's whole body of at most limit bytes, and decompresses it. The error is
// an *apierror.Error: the body is too large, too slow, cut off, or in an unknown encoding.
func ReadBody(w http.ResponseWriter, r *http.Request, limit int) ([]byte, error) {
	encoding := strings.Join(r.Header.Values(contentEncodingHeader), ",")
	if err := CheckEncoding(contentEncodingHeader, encoding); err != nil {
		w.Header().Set("Accept-Encoding", gzipEncoding)
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(limit)))
	if err != nil {
		return nil, readError(err, limit)
	}
	return Decompress(encoding, body, limit)
}

func readError(err error, limit int) error {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return BodyTooLarge(limit)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &apierror.Error{Reason: apierror.BodyTooSlow, Message: fmt.Sprintf(
			"the body did not arrive: it may pause for %v, and take %v", bodyTimeout, bodyTotal)}
	}
	return &apierror.Error{Reason: apierror.Cancelled, Message: "the body was cut off", Cause: err}
}

// BodyTooLarge returns the error of a body of more than limit bytes.
func BodyTooLarge(limit int) error {
	return &apierror.Error{
		Reason:  apierror.BodyTooLarge,
		Message: fmt.Sprintf("the body must be at most %d bytes", limit),
	}
}

// CheckEncoding refuses an encoding, given in the named header, that Decompress does not
// support.
func CheckEncoding(header, encoding string) error {
	if isIdentity(encoding) || isGzip(encoding) {
		return nil
	}
	return &apierror.Error{
		Reason:  apierror.UnsupportedEncoding,
		Message: strings.ToLower(header) + " must be " + gzipEncoding + " or identity",
	}
}

func isIdentity(encoding string) bool {
	return encoding == "" || strings.EqualFold(encoding, "identity")
}

func isGzip(encoding string) bool {
	return strings.EqualFold(encoding, gzipEncoding) || strings.EqualFold(encoding, "x-"+gzipEncoding)
}

// Decompress removes a body's encoding. It never holds more than limit bytes of the result.
func Decompress(encoding string, body []byte, limit int) ([]byte, error) {
	if isIdentity(encoding) || len(body) == 0 {
		return body, nil
	}
	reader, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, InvalidBody("invalid gzip body", "invalid gzip", err)
	}
	decompressed, err := io.ReadAll(io.LimitReader(reader, int64(limit)+1))
	switch {
	case err != nil:
		return nil, InvalidBody("invalid gzip body", "invalid gzip", err)
	case len(decompressed) > limit:
		return nil, BodyTooLarge(limit)
	}
	return decompressed, nil
}

// DecompressMessage decompresses a message of gRPC or Connect if its flags mark it as
// compressed.
func DecompressMessage(flags byte, encoding string, message []byte, limit int) ([]byte, error) {
	const compressed = 1
	switch {
	case flags == 0:
		return message, nil
	case flags == compressed && isGzip(encoding):
		return Decompress(encoding, message, limit)
	}
	const rule = "must have valid flags"
	return nil, InvalidBody("the message "+rule, rule, nil)
}

// InvalidBody returns the error of a body that cannot be read as what it should be.
func InvalidBody(message, rule string, cause error) error {
	return &apierror.Error{
		Reason: apierror.InvalidRequest, Message: message, Cause: cause,
		Violations: []apierror.Violation{{Field: WholeBody, Rule: "syntax", Message: rule}},
	}
}
