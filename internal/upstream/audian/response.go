package audian

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/redact"
)

const (
	// maxBody bounds the body of a response: a list of 1,000 participants has a quarter of a
	// megabyte.
	maxBody = 8 << 20
	// errorBodyTimeout bounds the reading of an error's body: its status is what counts (A1).
	errorBodyTimeout = 2 * time.Second
)

// response is one answer of the upstream, with its body.
type response struct {
	status int
	header http.Header
	// body is nil if it could not be read.
	body []byte
	// envelope holds the members of the body; it is empty if the body is not a JSON object.
	envelope envelope
	// secrets are removed from texts of the response.
	secrets redact.Secrets
}

// success reports whether the status is 2xx.
func (r *response) success() bool { return isSuccess(r.status) }

func isSuccess(status int) bool {
	return status >= http.StatusOK && status < http.StatusMultipleChoices
}

// documentReader decodes a body like readDocument. If ok is false, the caller must call readDocument.
type documentReader func(body []byte) (document []byte, e envelope, ok bool)

// read reads a response. It fails if the body of a 2xx cannot be read; of other responses the
// status counts.
func read(ctx context.Context, in *http.Response, r request, known redact.Secrets) (*response, *apierror.Error) {
	resp := &response{status: in.StatusCode, header: in.Header, secrets: known}
	body, err := readBody(in, r.buffer)
	decoded := false
	if r.fast != nil && err == nil && resp.success() {
		resp.body, resp.envelope, decoded = r.fast(body)
	}
	if !decoded {
		resp.body, resp.envelope, _ = readDocument(body)
	}
	if token, isText := text(resp.envelope.AuthToken); isText {
		resp.secrets = append(resp.secrets, redact.Secret(token))
	}
	if err == nil || !resp.success() {
		return resp, nil
	}
	failed := resp.bodyError(ctx, err)
	return resp, failed
}

var errTooLarge = errors.New("the body is larger than 8 MiB")

// readBody reads to the end, so that the connection can be reused. The body is in the memory of a
// buffer, or of a new one if that is nil.
func readBody(in *http.Response, body *bytes.Buffer) ([]byte, error) {
	if body == nil {
		body = new(bytes.Buffer)
	}
	body.Reset()
	if in.ContentLength > 0 && in.ContentLength <= maxBody {
		body.Grow(int(in.ContentLength) + bytes.MinRead)
	}
	_, err := body.ReadFrom(io.LimitReader(in.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read body: %w", err)
	case body.Len() > maxBody:
		return nil, errTooLarge
	default:
		return body.Bytes(), nil
	}
}
