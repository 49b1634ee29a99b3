package rest

import (
	"net/http/httptest"
	"testing"
)

func TestAcceptWeightsSelectTheFormat(t *testing.T) {
	for accepted, want := range map[string]format{
		"": ndjson{}, "*/*": ndjson{}, "application/json": ndjson{}, "application/x-ndjson": ndjson{}, "text/html": ndjson{},
		"text/event-stream": sse{}, "application/json, text/event-stream;q=0.9": sse{}, "TEXT/EVENT-STREAM": sse{},
		"text/event-stream; charset=utf-8": sse{}, "text/event-stream, */*": sse{}, "*/*, text/event-stream": sse{},
		"application/x-ndjson, text/event-stream;q=0.5":       ndjson{},
		"application/x-ndjson;q=0.4, text/event-stream;q=0.5": sse{},
		"text/event-stream;q=0.5, application/x-ndjson":       ndjson{},
		"application/x-ndjson;q=0, text/event-stream;q=0.001": sse{},
		"application/x-ndjson;q=0, */*":                       sse{},
		"text/event-stream;q=0":                               ndjson{},
		"text/event-stream;q=0.0, text/*":                     ndjson{},
		"text/event-stream;q=0, application/x-ndjson;q=0":     ndjson{},
		"text/event-stream;q=0.5, */*":                        ndjson{},
		"text/event-stream, */*;q=0.1":                        sse{},
		"text/event-stream, application/*;q=0.1":              sse{},
		"text/event-stream;q=x":                               sse{},
		"text/event-stream;q=2, application/x-ndjson;q=NaN":   sse{},
		"text/html, application/xhtml+xml, */*;q=0.8":         ndjson{},
		"text/*":           sse{},
		"text, ;;, */*;q=": ndjson{},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.Header.Set("Accept", accepted)
		if got := formatFor(r); got != want {
			t.Errorf("formatFor(%q) = %T, want %T", accepted, got, want)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
	r.Header["Accept"] = []string{"application/x-ndjson;q=0.1", "text/event-stream;q=0.2"}
	if got := formatFor(r); got != (sse{}) {
		t.Errorf("two headers: %T", got)
	}
}
