package simulator

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
)

// Transport returns a transport that calls the handler in the caller's goroutine, without
// a socket. It works in a testing/synctest bubble and in a gateway with an embedded
// simulator. A connection that the simulator closes is an unexpected EOF, as on a socket.
func (s *Simulator) Transport() http.RoundTripper { return inMemory{s.handler} }

type inMemory struct{ handler http.Handler }

// RoundTrip calls the handler.
func (m inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &recorder{header: http.Header{}}
	inner := r.Clone(r.Context())
	if inner.Body == nil {
		inner.Body = http.NoBody
	}
	defer func() { _ = inner.Body.Close() }()
	inner.Host, inner.RequestURI = r.URL.Host, r.URL.RequestURI()
	aborted := w.run(m.handler, inner)
	switch {
	case r.Context().Err() != nil:
		return nil, r.Context().Err()
	case aborted && !w.flushed:
		return nil, io.ErrUnexpectedEOF
	default:
		return w.response(r, aborted), nil
	}
}

// recorder records the response of a handler.
type recorder struct {
	header  http.Header
	status  int
	body    bytes.Buffer
	flushed bool
}

// run calls the handler, and reports whether it aborted the connection.
func (w *recorder) run(h http.Handler, r *http.Request) (aborted bool) {
	defer func() {
		switch cause := recover(); cause {
		case nil:
		case http.ErrAbortHandler:
			aborted = true
		default:
			panic(cause)
		}
	}()
	h.ServeHTTP(w, r)
	return false
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p) //nolint:wrapcheck // A buffer's write cannot fail.
}

func (w *recorder) Flush() { w.flushed = true }

// response returns the response as the client reads it.
func (w *recorder) response(r *http.Request, aborted bool) *http.Response {
	w.WriteHeader(http.StatusOK)
	var body io.Reader = &w.body
	if aborted {
		body = io.MultiReader(body, brokenReader{})
	}
	length, err := strconv.ParseInt(w.header.Get("Content-Length"), 10, 64)
	if err != nil {
		length = int64(w.body.Len())
	}
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(body), ContentLength: length, Request: r,
	}
}

// brokenReader is the rest of a body whose connection was closed.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
