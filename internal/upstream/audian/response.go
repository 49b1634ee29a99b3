package audian

import (
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

// read reads a response. It fails if the body of a 2xx cannot be read; of other responses the
// status counts.
func read(ctx context.Context, in *http.Response, known redact.Secrets) (*response, *apierror.Error) {
	resp := &response{status: in.StatusCode, header: in.Header, secrets: known}
	var err error
	resp.body, err = readBody(in.Body)
	resp.body, resp.envelope, _ = readDocument(resp.body)
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

// readBody reads to the end, so that the connection can be reused.
func readBody(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read body: %w", err)
	case len(body) > maxBody:
		return nil, errTooLarge
	default:
		return body, nil
	}
}
