package web

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func request(t *testing.T, h http.Handler, method, known string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/x", http.NoBody)
	r.Header.Set("If-None-Match", known)
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, r)
	return recorder
}

func TestStaticFile(t *testing.T) {
	h := static("text/plain; charset=utf-8", func() []byte { return []byte("hello") })
	got := request(t, h, http.MethodGet, "")
	if got.Code != http.StatusOK || got.Body.String() != "hello" {
		t.Errorf("response = %d %q", got.Code, got.Body)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff",
	} {
		if value := got.Header().Get(name); value != want {
			t.Errorf("%s = %q, want %q", name, value, want)
		}
	}
	if head := request(t, h, http.MethodHead, ""); head.Body.Len() != 0 || head.Header().Get("Content-Length") != "5" {
		t.Errorf("HEAD = %q, %v", head.Body, head.Header())
	}
}

func TestUnchangedFileIsNotSentAgain(t *testing.T) {
	h := static("text/plain", func() []byte { return []byte("hello") })
	tag := request(t, h, http.MethodGet, "").Header().Get("ETag")
	if got := request(t, h, http.MethodGet, tag); got.Code != http.StatusNotModified || got.Body.Len() != 0 {
		t.Errorf("response = %d %q", got.Code, got.Body)
	}
	if other := request(t, static("text/plain", func() []byte { return []byte("bye") }), http.MethodGet, tag); other.Code != http.StatusOK {
		t.Errorf("other content under the same tag = %d", other.Code)
	}
}

func TestContentIsMadeOnceAndOnlyWhenItIsRead(t *testing.T) {
	made := 0
	h := static("text/plain", func() []byte {
		made++
		return []byte("hello")
	})
	if made != 0 {
		t.Errorf("made %d times before the first request", made)
	}
	request(t, h, http.MethodGet, "")
	request(t, h, http.MethodGet, "")
	if made != 1 {
		t.Errorf("made %d times for two requests", made)
	}
}
