package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/httpapi/web"
	"github.com/audian/participant-gateway/internal/schema"
)

func getSchema(t *testing.T, method, path string) (status int, contentType string, body []byte) {
	t.Helper()
	recorder := httptest.NewRecorder()
	web.Schema().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody))
	body, err := io.ReadAll(recorder.Body)
	if err != nil {
		t.Fatal(err)
	}
	return recorder.Code, recorder.Header().Get("Content-Type"), body
}

func TestSchemaFiles(t *testing.T) {
	for _, test := range []struct{ path, contentType, want string }{
		{"/schema", "text/html; charset=utf-8", `href="/schema/descriptors.binpb"`},
		{"/schema/audian/conference/v2/participant_service.proto", "text/plain; charset=utf-8", "service ParticipantService {"},
		{"/schema/google/rpc/error_details.proto", "text/plain; charset=utf-8", "message ErrorInfo {"},
		{"/schema/google/rpc/status.proto", "text/plain; charset=utf-8", "message Status {"},
		{"/schema/google/rpc/code.proto", "text/plain; charset=utf-8", "enum Code {"},
		{"/schema/proto.zip", "application/zip", "audian/conference/v2/participant_service.proto"},
		{"/schema/openapi.json", "application/json", `"openapi": "3.1`},
		{"/schema/service_config.json", "application/json", "retryPolicy"},
		{"/schema/descriptors.binpb", "application/x-protobuf", "ParticipantService"},
	} {
		status, contentType, body := getSchema(t, http.MethodGet, test.path)
		if status != http.StatusOK || contentType != test.contentType || !strings.Contains(string(body), test.want) {
			t.Errorf("%s = %d, %s, %d bytes; want %s with %q", test.path, status, contentType, len(body), test.contentType, test.want)
		}
	}
}

func TestSchemaIndexNamesEveryFile(t *testing.T) {
	_, _, index := getSchema(t, http.MethodGet, "/schema")
	links := 0
	for part := range strings.SplitSeq(string(index), `href="`) {
		path, _, isLink := strings.Cut(part, `"`)
		if !isLink || !strings.HasPrefix(path, "/") {
			continue
		}
		links++
		if _, about, _ := strings.Cut(part, "<dd>"); strings.HasPrefix(about, "</dd>") {
			t.Errorf("the index does not describe %s", path)
		}
		if status, _, _ := getSchema(t, http.MethodHead, path); status != http.StatusOK {
			t.Errorf("the index links to %s, which is %d", path, status)
		}
	}
	if want := len(schema.Files()); links != want {
		t.Errorf("the index has %d links, want %d", links, want)
	}
}

func TestSchemaPathsWithoutAFile(t *testing.T) {
	for _, test := range []struct {
		method, path string
		want         int
	}{
		{http.MethodGet, "/schema/", http.StatusNotFound},
		{http.MethodGet, "/schema/other", http.StatusNotFound},
		{http.MethodGet, "/schema/participant_service.proto", http.StatusNotFound},
		{http.MethodGet, "/schema/google/rpc", http.StatusNotFound},
		{http.MethodPost, "/schema", http.StatusMethodNotAllowed},
	} {
		if status, _, _ := getSchema(t, test.method, test.path); status != test.want {
			t.Errorf("%s %s = %d, want %d", test.method, test.path, status, test.want)
		}
	}
}
