package rest

import (
	"errors"
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
		if r.Body != nil && r.Body != http.NoBody {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
		}
		next.ServeHTTP(w, r)
	})
}

// arrived takes the deadline back once the body has been read: over HTTP/1 the
// connection is read on, to see whether the client leaves.
func arrived(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
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
