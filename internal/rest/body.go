package rest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/wire"
)

const (
	// bodyTimeout is how long a request's body may make no progress. It also bounds how
	// long net/http waits for the rest of a body that nobody reads, as that of a DELETE.
	bodyTimeout = 10 * time.Second
	// bodyTotal is how long all of it may take.
	bodyTotal = 60 * time.Second
)

// boundBodies gives every request that has a body the time to send it. A writer without
// deadlines is one of a test.
func boundBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		body := &boundBody{ReadCloser: r.Body, control: http.NewResponseController(w), latest: time.Now().Add(bodyTotal)}
		body.extend()
		bounded := *r
		bounded.Body = body
		next.ServeHTTP(w, &bounded)
	})
}

// boundBody is a body that has a deadline until all of it has arrived: over HTTP/1 the
// connection is read on, to see whether the client leaves.
type boundBody struct {
	io.ReadCloser

	control *http.ResponseController
	latest  time.Time
}

func (b *boundBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		_ = b.control.SetReadDeadline(time.Time{})
	case n > 0:
		b.extend()
	}
	return n, err //nolint:wrapcheck // Readers compare what they get.
}

// extend sets the deadline of the next bytes.
func (b *boundBody) extend() {
	deadline := time.Now().Add(bodyTimeout)
	if b.latest.Before(deadline) {
		deadline = b.latest
	}
	_ = b.control.SetReadDeadline(deadline)
}

// MaxBody is far above what the largest valid request takes.
const MaxBody = 64 << 10

const (
	contentEncodingHeader = "Content-Encoding"
	gzipEncoding          = "gzip"
)

// ReadBody reads all of a request's body, its content encoding taken off. The error says
// why it cannot be read: it is too large, too slow, cut off, or in an unknown encoding.
func ReadBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	encoding := strings.Join(r.Header.Values(contentEncodingHeader), ",")
	if err := CheckEncoding(contentEncodingHeader, encoding); err != nil {
		w.Header().Set("Accept-Encoding", gzipEncoding)
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, bodyTooLarge()
	}
	if err := bodyFailure(err); err != nil {
		return nil, err
	}
	return Inflate(encoding, body)
}

func bodyTooLarge() error {
	return &apierror.Error{
		Reason:  apierror.BodyTooLarge,
		Message: fmt.Sprintf("the body must be at most %d bytes", MaxBody),
	}
}

// CheckEncoding refuses an encoding, as the header has it, that Inflate does not know.
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

// Inflate takes an encoding off a body. No more than MaxBody is ever held of it.
func Inflate(encoding string, sent []byte) ([]byte, error) {
	if isIdentity(encoding) || len(sent) == 0 {
		return sent, nil
	}
	reader, err := gzip.NewReader(bytes.NewReader(sent))
	if err != nil {
		return nil, invalidGzip(err)
	}
	body, err := io.ReadAll(io.LimitReader(reader, MaxBody+1))
	switch {
	case err != nil:
		return nil, invalidGzip(err)
	case len(body) > MaxBody:
		return nil, bodyTooLarge()
	}
	return body, nil
}

// InflateMessage takes the encoding off a message of gRPC or Connect, if its flags say that
// it has one. No more than MaxBody is ever held of it.
func InflateMessage(flags byte, encoding string, sent []byte) ([]byte, error) {
	const compressed = 1
	switch {
	case flags == 0:
		return sent, nil
	case flags == compressed && isGzip(encoding):
		return Inflate(encoding, sent)
	}
	const rule = "must have valid flags"
	return nil, &apierror.Error{
		Reason: apierror.InvalidRequest, Message: "the message " + rule,
		Violations: []apierror.Violation{{Field: wire.WholeBody, Rule: "syntax", Message: rule}},
	}
}

func invalidGzip(cause error) error {
	return &apierror.Error{
		Reason: apierror.InvalidRequest, Message: "invalid gzip body", Cause: cause,
		Violations: []apierror.Violation{{Field: wire.WholeBody, Rule: "syntax", Message: "invalid gzip"}},
	}
}

// bodyFailure says why a body could not be read; nil where it was.
func bodyFailure(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &apierror.Error{Reason: apierror.BodyTooSlow, Message: fmt.Sprintf(
			"the body did not arrive: it may pause for %v, and take %v", bodyTimeout, bodyTotal)}
	default:
		return &apierror.Error{Reason: apierror.Cancelled, Message: "the body was cut off", Cause: err}
	}
}
