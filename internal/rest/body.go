package rest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// bodyTimeout is how long a request's body may take to arrive. It also bounds how long
// net/http waits for the rest of a body that nobody reads, as that of a DELETE.
const bodyTimeout = 10 * time.Second

// boundBodies gives every request that has a body the time to send it. A writer without
// deadlines is one of a test.
func boundBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(time.Now().Add(bodyTimeout))
		bounded := *r
		bounded.Body = &boundBody{ReadCloser: r.Body, control: control}
		next.ServeHTTP(w, &bounded)
	})
}

// boundBody is a body that has a deadline until all of it has arrived: over HTTP/1 the
// connection is read on, to see whether the client leaves.
type boundBody struct {
	io.ReadCloser

	control *http.ResponseController
}

func (b *boundBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err //nolint:wrapcheck // Readers compare what they get.
}

// MaxBody is far above what the largest valid request takes.
const MaxBody = 64 << 10

// ReadBody reads all of a request's body, or says why it cannot be: it is too large, too
// slow, or was cut off.
func ReadBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, &participant.Error{
			Reason:  participant.BodyTooLarge,
			Message: fmt.Sprintf("the body must be at most %d bytes", MaxBody),
		}
	}
	if err := bodyFailure(err); err != nil {
		return nil, err
	}
	return body, nil
}

// bodyFailure says why a body could not be read; nil where it was.
func bodyFailure(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &participant.Error{Reason: participant.BodyTooSlow, Message: "the body did not arrive within " + bodyTimeout.String()}
	default:
		return &participant.Error{Reason: participant.Cancelled, Message: "the body was cut off", Cause: err}
	}
}
