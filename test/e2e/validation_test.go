package e2e_test

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"sync"
	"testing"

	"github.com/audian/participant-gateway/internal/httpapi/openapitest"
)

// validatingTransport validates the responses of the operations in the OpenAPI document
// against it. It is the transport of every HTTP call of these tests.
type validatingTransport struct {
	http.RoundTripper

	t *testing.T
}

// document is loaded once. Its lock serializes validation, which compiles schemas.
var document = struct {
	sync.Mutex

	load func() (*openapitest.Document, error)
}{load: sync.OnceValues(openapitest.Load)}

func (d validatingTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := d.RoundTripper.RoundTrip(request)
	if err != nil || !isOperation(request) {
		return response, err
	}
	response.Body = &readBody{ReadCloser: response.Body, validate: func(read []byte) {
		d.validate(request, response, read)
	}}
	return response, nil
}

// operations matches the operations in the document. Tests of errors also use other methods
// and paths.
var operations = regexp.MustCompile(`^(GET|POST) /v2/conferences/[^/]+/participants$|` +
	`^GET /v2/conferences/[^/]+/participants:watch$|` +
	`^(GET|DELETE) /v2/conferences/[^/]+/participants/[^/]+$|` +
	`^POST /v2/conferences/[^/]+/participants/[^/]+/(mute|unmute|hold|resume|disconnect)$|` +
	`^POST /v2/conferences/[^/]+/(mute-all|participants:refresh)$`)

func isOperation(request *http.Request) bool {
	return operations.MatchString(request.Method + " " + request.URL.EscapedPath())
}

func (d validatingTransport) validate(request *http.Request, response *http.Response, read []byte) {
	document.Lock()
	defer document.Unlock()
	doc, err := document.load()
	if err != nil {
		d.t.Errorf("load the document: %v", err)
		return
	}
	contentType := response.Header.Get("Content-Type")
	if err := doc.Check(request.Method, request.URL.EscapedPath(), response.StatusCode, contentType, completeMessages(contentType, read)); err != nil {
		d.t.Errorf("does not match the OpenAPI document: %v", err)
	}
}

// completeMessages drops the incomplete last message of a stream.
func completeMessages(contentType string, read []byte) []byte {
	end := map[string]string{"text/event-stream": "\n\n", "application/x-ndjson": "\n"}[contentType]
	if end == "" {
		return read
	}
	if last := bytes.LastIndex(read, []byte(end)); last >= 0 {
		return read[:last+len(end)]
	}
	return nil
}

// readBody records what was read of a body, and validates it when it is closed, which
// may be while another goroutine reads.
type readBody struct {
	io.ReadCloser

	validate func(read []byte)
	once     sync.Once
	mu       sync.Mutex
	read     bytes.Buffer
}

func (b *readBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read.Write(p[:n])
	return n, err
}

func (b *readBody) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.validate(b.read.Bytes())
	})
	return err
}
