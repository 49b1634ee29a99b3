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
	// maxBody is how much of an answer is read: a list of 1,000 participants has a
	// quarter of a megabyte.
	maxBody = 8 << 20
	// errorBodyTimeout is how long an answer of no success may take to say why: what counts is
	// its status (A1).
	errorBodyTimeout = 2 * time.Second
)

// response is one answer of the upstream, with its body.
type response struct {
	status int
	header http.Header
	// body is nil where it could not be read.
	body []byte
	// envelope holds the members of the body; it is empty if the body is not a JSON object.
	envelope envelope
	// secrets are kept out of what is told of the answer.
	secrets redact.Secrets
}

// success reports whether the status alone is one of success.
func (a *response) success() bool { return isSuccess(a.status) }

func isSuccess(status int) bool {
	return status >= http.StatusOK && status < http.StatusMultipleChoices
}

// read reads an answer. It fails where one of success breaks off; of any other the
// status counts.
func read(ctx context.Context, in *http.Response, known redact.Secrets) (*response, *apierror.Error) {
	a := &response{status: in.StatusCode, header: in.Header, secrets: known}
	var err error
	a.body, err = readBody(in.Body)
	a.body, a.envelope, _ = readDocument(a.body)
	if token, isText := text(a.envelope.AuthToken); isText {
		a.secrets = append(a.secrets, redact.Secret(token))
	}
	if err == nil || !a.success() {
		return a, nil
	}
	broken := a.bodyError(ctx, err)
	return a, broken
}

var errTooLarge = errors.New("the body is larger than 8 MiB")

// readBody reads to the end, so that the connection can be used again.
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
