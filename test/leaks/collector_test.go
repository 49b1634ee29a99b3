package leaks_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// traces is a collector. It answers its first request with an error that repeats the credential.
type traces struct {
	url string

	mu       sync.Mutex
	requests int
	// received is the text of all spans, accepted that of the last credential.
	received []byte
	accepted string
}

func newTraces(t *testing.T) *traces {
	t.Helper()
	c := &traces{}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// env returns the variables of a gateway that exports to the collector.
func (c *traces) env(credential string) []string {
	return []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.url, "OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20" + credential,
		"OTEL_BSP_SCHEDULE_DELAY=50",
	}
}

func (c *traces) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var request collector.ExportTraceServiceRequest
	if err != nil || proto.Unmarshal(body, &request) != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.received = append(c.received, protojson.Format(&request)...)
	c.accepted = r.Header.Get("Authorization")
	c.requests++
	if c.requests == 1 {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "not "+c.accepted)
	}
}

// text returns all spans and the last credential.
func (c *traces) text() (spans, credential string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.received), c.accepted
}
