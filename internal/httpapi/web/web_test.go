package web_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/gen/openapi"
	"github.com/audian/participant-gateway/internal/httpapi"
)

// port returns the handler of the HTTP port.
func port(t *testing.T) http.Handler {
	t.Helper()
	handler, err := httpapi.New(httpapi.Options{
		Service: v2.UnimplementedParticipantServiceServer{},
		Logger:  slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

func get(t *testing.T, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	port(t).ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody))
	return recorder
}

func TestPages(t *testing.T) {
	for _, test := range []struct {
		path, contentType, want string
	}{
		{"/", "text/html; charset=utf-8", "<title>Participant Gateway</title>"},
		{"/?conference=conf_1", "text/html; charset=utf-8", `id="conference"`},
		{"/dashboard/page.js", "text/javascript; charset=utf-8", "conf_demo"},
		{"/dashboard/page.css", "text/css; charset=utf-8", "color-scheme: light dark"},
		{"/favicon.svg", "image/svg+xml", "<svg"},
		{"/docs", "text/html; charset=utf-8", "/docs/swagger-ui-bundle.js"},
		{"/docs/start.js", "text/javascript; charset=utf-8", "/openapi.json"},
		{"/openapi.json", "application/json", `"openapi": "3.1`},
		{"/schema", "text/html; charset=utf-8", `href="/schema/proto.zip"`},
		{"/schema/proto.zip", "application/zip", "google/rpc/status.proto"},
		{"/schema/audian/conference/v2/participant_service.proto", "text/plain; charset=utf-8", "java_multiple_files"},
	} {
		got := get(t, http.MethodGet, test.path)
		if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), test.want) {
			t.Errorf("GET %s = %d with %d bytes, want %q in it", test.path, got.Code, got.Body.Len(), test.want)
		}
		if contentType := got.Header().Get("Content-Type"); contentType != test.contentType {
			t.Errorf("GET %s is %s, want %s", test.path, contentType, test.contentType)
		}
	}
}

// Without this hook of the viewer, "Try it out" would load a stream that never ends.
func TestViewerHasTheStreamHook(t *testing.T) {
	for _, path := range []string{"/docs/start.js", "/docs/swagger-ui-bundle.js"} {
		if !strings.Contains(get(t, http.MethodGet, path).Body.String(), "allowTryItOutFor") {
			t.Errorf("%s does not contain allowTryItOutFor", path)
		}
	}
}

func TestOpenAPIHasAnETag(t *testing.T) {
	first := get(t, http.MethodGet, "/openapi.json")
	if first.Body.String() != string(openapi.Document) {
		t.Error("the document is not the generated document")
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/openapi.json", http.NoBody)
	request.Header.Set("If-None-Match", first.Header().Get("ETag"))
	recorder := httptest.NewRecorder()
	port(t).ServeHTTP(recorder, request)
	if recorder.Code != http.StatusNotModified {
		t.Errorf("the unchanged document is %d", recorder.Code)
	}
}

func TestPolicies(t *testing.T) {
	for path, style := range map[string]string{"/": "style-src 'self';", "/schema": "style-src 'self';", "/docs": "style-src 'self' 'unsafe-inline';"} {
		policy := get(t, http.MethodGet, path).Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none';", "script-src 'self';", "connect-src 'self';", "frame-ancestors 'none'", style} {
			if !strings.Contains(policy, want) {
				t.Errorf("GET %s: the policy %q does not contain %q", path, policy, want)
			}
		}
	}
}

var (
	loaded    = regexp.MustCompile(`(?:src|href)="([^"#]+)"|from "([^"]+)"`)
	inline    = regexp.MustCompile(`<script>|<style>| on[a-z]+="| style="`)
	elsewhere = regexp.MustCompile(`https?://|//[a-z]+\.`)
)

// It follows every link of the pages and their scripts.
func TestPagesLoadNothingFromOtherServers(t *testing.T) {
	seen := map[string]bool{}
	var follow func(path string)
	follow = func(path string) {
		if seen[path] {
			return
		}
		seen[path] = true
		got := get(t, http.MethodGet, path)
		if got.Code != http.StatusOK {
			t.Errorf("GET %s = %d", path, got.Code)
		}
		if strings.HasPrefix(path, "/docs/swagger-ui") || path == "/favicon.svg" || path == "/openapi.json" || strings.HasPrefix(path, "/schema/") {
			return
		}
		text := got.Body.String()
		if found := elsewhere.FindString(text); found != "" {
			t.Errorf("%s links to another server: %q", path, found)
		}
		if found := inline.FindString(text); found != "" {
			t.Errorf("%s has %q, which its policy forbids", path, found)
		}
		for _, match := range loaded.FindAllStringSubmatch(text, -1) {
			follow(strings.Replace(match[1]+match[2], "./", "/dashboard/", 1))
		}
	}
	follow("/")
	if len(seen) < 30 {
		t.Errorf("only %d files were followed", len(seen))
	}
}

func TestPathsWithoutAPage(t *testing.T) {
	for _, test := range []struct {
		method, path string
		want         int
	}{
		{http.MethodGet, "/index.html", http.StatusNotFound},
		{http.MethodGet, "/dashboard/", http.StatusNotFound},
		{http.MethodGet, "/schema/other", http.StatusNotFound},
		{http.MethodPost, "/schema/proto.zip", http.StatusMethodNotAllowed},
		{http.MethodGet, "/dashboard/index.html", http.StatusNotFound},
		{http.MethodGet, "/docs/oauth2-redirect.html", http.StatusNotFound},
		{http.MethodGet, "/docs/", http.StatusMovedPermanently},
		{http.MethodPost, "/", http.StatusMethodNotAllowed},
		{http.MethodDelete, "/docs", http.StatusMethodNotAllowed},
		{http.MethodHead, "/", http.StatusOK},
	} {
		if got := get(t, test.method, test.path); got.Code != test.want {
			t.Errorf("%s %s = %d, want %d", test.method, test.path, got.Code, test.want)
		}
	}
}
