package audian

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestNoSecretIsRepeated(t *testing.T) {
	const token, issued = "static-token-1", "issued-token-1"
	for name, upstream := range map[string]*upstream{
		"in its words":           always(403, `{"message":"token static-token-1 may not","status":"error"}`),
		"where they are cut":     always(403, `{"message":"`+strings.Repeat("x", 192)+`static-token-1","status":"error"}`),
		"amid what is taken out": always(403, `{"message":"static-\u0000token-1","status":"error"}`),
		"as its request id":      always(403, `{"message":"no","status":"error","request_id":"static-token-1"}`),
		"as its header":          always(502, ``, "X-Request-Id", "static-token-1"),
		"as a member's name":     always(200, `{"participants":[{"static-token-1" 1}]}`),
		"the one that it issued": always(403, `{"message":"not with issued-token-1","status":"error","auth_token":"issued-token-1"}`),
		"in what is no answer": {answer: func(*http.Request) (*http.Response, error) {
			return nil, errors.New(`malformed HTTP response "static-token-1"`)
		}},
	} {
		_, err := client(t, upstream).List(t.Context(), "c", Pacing{})
		if err == nil || strings.Contains(err.Error(), token[:8]) || strings.Contains(err.Error(), issued) {
			t.Errorf("%s: got %v", name, err)
		}
		if e := apiError(t, err); strings.Contains(e.Message+e.UpstreamRequestID, token) {
			t.Errorf("%s: told %+v", name, e)
		}
	}
}

func TestNoNumberIsRepeated(t *testing.T) {
	u := always(400, `{"message":"+1 (202) 555-1234 is +12025551234","status":"error"}`)
	_, err := client(t, u).List(t.Context(), "c", Pacing{})
	if e := apiError(t, err); e.Message != "…1234 is …1234" {
		t.Errorf("told %q", e.Message)
	}
}
