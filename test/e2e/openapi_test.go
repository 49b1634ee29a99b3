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

// described is the transport of every HTTP call of these tests: it holds each answer of
// a described operation, streams as far as they were read, to the OpenAPI document.
type described struct {
	http.RoundTripper

	t *testing.T
}

// document is read once; holding answers to it compiles schemas, one test at a time.
var document = struct {
	sync.Mutex

	load func() (*openapitest.Document, error)
}{load: sync.OnceValues(openapitest.Load)}

func (d described) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := d.RoundTripper.RoundTrip(request)
	if err != nil || !isOperation(request) {
		return response, err
	}
	response.Body = &readBody{ReadCloser: response.Body, judge: func(read []byte) {
		d.judge(request, response, read)
	}}
	return response, nil
}

// operations are the described ones. Other verbs and paths are tried to see them refused.
var operations = regexp.MustCompile(`^(GET|POST) /v2/conferences/[^/]+/participants$|` +
	`^GET /v2/conferences/[^/]+/participants:watch$|` +
	`^DELETE /v2/conferences/[^/]+/participants/[^/]+$`)

func isOperation(request *http.Request) bool {
	return operations.MatchString(request.Method + " " + request.URL.EscapedPath())
}

func (d described) judge(request *http.Request, response *http.Response, read []byte) {
	document.Lock()
	defer document.Unlock()
	doc, err := document.load()
	if err != nil {
		d.t.Errorf("load the document: %v", err)
		return
	}
	contentType := response.Header.Get("Content-Type")
	if err := doc.Check(request.Method, request.URL.EscapedPath(), response.StatusCode, contentType, whole(contentType, read)); err != nil {
		d.t.Errorf("not as the OpenAPI document says: %v", err)
	}
}

// whole leaves out what a stream was cut off in.
func whole(contentType string, read []byte) []byte {
	end := map[string]string{"text/event-stream": "\n\n", "application/x-ndjson": "\n"}[contentType]
	if end == "" {
		return read
	}
	if last := bytes.LastIndex(read, []byte(end)); last >= 0 {
		return read[:last+len(end)]
	}
	return nil
}

// readBody keeps what was read of a body, and has it judged when it is closed, which
// may be while another goroutine reads.
type readBody struct {
	io.ReadCloser

	judge func(read []byte)
	once  sync.Once
	mu    sync.Mutex
	read  bytes.Buffer
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
		b.judge(b.read.Bytes())
	})
	return err
}
