package audian

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

const vendorError = `{"data":{"message":"field required: email"},"error":"400","message":"bad_request","request_id":"req_xyz789","status":"error"}`

func TestA05_StatusesAndBodies(t *testing.T) {
	for name, test := range map[string]struct {
		status  int
		body    string
		reason  apierror.Reason
		shaped  bool
		message string
		known   int
	}{
		"the envelope":       {400, vendorError, apierror.UpstreamBadRequest, true, "field required: email", 400},
		"its word":           {400, `{"error":400,"message":"bad_request","status":"error"}`, apierror.UpstreamBadRequest, true, "bad_request", 400},
		"the other shape":    {402, `{"error":{"code":"payment","message":"pay up","param":"x","type":"billing"}}`, apierror.PaymentRequired, true, "pay up", 402},
		"the third":          {403, `{"success":false,"message":"not yours"}`, apierror.UpstreamForbidden, true, "not yours", 403},
		"404":                {404, `{"error":"404","status":"error"}`, apierror.ConferenceNotFound, true, "the upstream answered 404 Not Found", 404},
		"404 of a proxy":     {404, `<html>not found</html>`, apierror.UpstreamUnavailable, false, "the upstream answered 404 Not Found", 404},
		"404, empty":         {404, ``, apierror.UpstreamUnavailable, false, "the upstream answered 404 Not Found", 404},
		"404, other JSON":    {404, `{"message":"no route"}`, apierror.UpstreamUnavailable, false, "the upstream answered 404 Not Found", 404},
		"404, an error word": {404, `{"error":"not found"}`, apierror.UpstreamUnavailable, false, "the upstream answered 404 Not Found", 404},
		"404, cut":           {404, vendorError[:50], apierror.UpstreamUnavailable, false, "the upstream answered 404 Not Found", 404},
		"409":                {409, `{"error":"409","message":"conflict","status":"error"}`, apierror.UpstreamConflict, true, "conflict", 409},
		"409, full":          {409, `{"data":{"message":"conference is full"},"error":"409","status":"error"}`, apierror.ConferenceFull, true, "conference is full", 409},
		"409, full by code":  {409, `{"error":{"code":"conference_full","message":"no"}}`, apierror.ConferenceFull, true, "no", 409},
		"409, full by limit": {409, `{"success":false,"message":"maximum number of participants reached"}`, apierror.ConferenceFull, true, "maximum number of participants reached", 409},
		"418":                {418, `{"success":false}`, apierror.UpstreamRefused, true, "the upstream answered 418 I'm a teapot", 418},
		"408":                {408, ``, apierror.UpstreamTimeout, false, "the upstream answered 408 Request Timeout", 408},
		"500":                {500, `{"error":"404","status":"error"}`, apierror.UpstreamUnavailable, true, "the upstream answered 500 Internal Server Error", 500},
		"301":                {301, ``, apierror.UpstreamUnavailable, false, "the upstream answered 301 Moved Permanently", 301},
		"200, error":         {200, vendorError, apierror.UpstreamBadRequest, true, "field required: email", 400},
		"200, error, number": {200, `{"error":404,"status":"error"}`, apierror.ConferenceNotFound, true, "the upstream answered 404 Not Found", 404},
		"200, no code":       {200, `{"message":"busy","status":"error"}`, apierror.UpstreamUnavailable, true, "busy", 200},
		"200, no success":    {200, `{"success":false,"error":{"code":"403","message":"no"}}`, apierror.UpstreamForbidden, true, "no", 403},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client(t, always(test.status, test.body)).List(t.Context(), "c", Pacing{})
			e := apiError(t, err)
			if e.Reason != test.reason || e.FromUpstream != test.shaped || e.Message != test.message || e.UpstreamStatus != test.known {
				t.Errorf("got %+v", e)
			}
			if want := strings.Contains(test.body, "req_xyz789") && test.shaped; (e.UpstreamRequestID == "req_xyz789") != want {
				t.Errorf("request id %q", e.UpstreamRequestID)
			}
		})
	}
}

func TestA05_UpstreamMessagesAreCleaned(t *testing.T) {
	long := strings.Repeat("é", 300)
	body := `{"data":{"message":"a\u0000b\r\nc` + long + `"},"status":"error"}`
	_, err := client(t, always(400, body, "X-Request-Id", "id\x01\xff-1")).List(t.Context(), "c", Pacing{})
	e := apiError(t, err)
	if e.Message != "abc"+strings.Repeat("é", 197) || e.UpstreamRequestID != "id-1" {
		t.Errorf("message %q, id %q", e.Message, e.UpstreamRequestID)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"7":                             7 * time.Second,
		"-7":                            0,
		"99999999999999999999":          maxRetryAfter,
		"Thu, 01 Jan 2026 12:00:30 GMT": 30 * time.Second,
		"Thu, 01 Jan 2026 11:00:00 GMT": 0,
		"soon":                          0,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	for header, want := range map[string]time.Duration{"": defaultRetryAfter, "3": 3 * time.Second} {
		_, err := client(t, always(http.StatusTooManyRequests, "", "Retry-After", header)).List(t.Context(), "c", Pacing{})
		if got := apiError(t, err).RetryAfter; got != want {
			t.Errorf("429 with %q: %v, want %v", header, got, want)
		}
	}
}

func TestUnexpectedFieldsAreLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	u := always(200, `{"participants":[{"id":"a","muted":2},{"id":"b","muted":2},{}]}`)
	c := client(t, u, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	for range 3 {
		if _, err := c.List(t.Context(), "conf_1", Pacing{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Count(log.String(), "\n"); got != 2 || !strings.Contains(log.String(), "field=muted conference_id=conf_1") {
		t.Errorf("%d lines: %s", got, log.String())
	}
}
