package httpio

import (
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	// bodyTimeout is how long a request's body may make no progress. It also limits how
	// long net/http waits for the rest of a body that no handler reads, as of a DELETE.
	bodyTimeout = 10 * time.Second
	// bodyTotal is how long the whole body may take.
	bodyTotal = 60 * time.Second
)

// WithDeadlines ends requests whose client stops sending the body, and responses whose
// client stops reading (see TimedWriter).
func WithDeadlines(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(TimedWriterOf(w), withBodyDeadline(w, r))
	})
}

func withBodyDeadline(w http.ResponseWriter, r *http.Request) *http.Request {
	if r.Body == nil || r.Body == http.NoBody {
		return r
	}
	body := &timedBody{ReadCloser: r.Body, control: http.NewResponseController(w), latest: time.Now().Add(bodyTotal)}
	body.extend()
	changed := *r
	changed.Body = body
	return &changed
}

// timedBody is a body with a read deadline until all of it has arrived. Afterwards there
// is none: over HTTP/1 net/http reads on, to notice when the client disconnects.
type timedBody struct {
	io.ReadCloser

	control *http.ResponseController
	latest  time.Time
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		_ = b.control.SetReadDeadline(time.Time{})
	case n > 0:
		b.extend()
	}
	return n, err //nolint:wrapcheck // Readers compare what they get.
}

// extend sets the deadline of the next bytes. Only writers in tests have no deadlines.
func (b *timedBody) extend() {
	deadline := time.Now().Add(bodyTimeout)
	if b.latest.Before(deadline) {
		deadline = b.latest
	}
	_ = b.control.SetReadDeadline(deadline)
}
