package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
)

func TestCrossOriginWritesAreRefused(t *testing.T) {
	trusted := func(o *Options) { o.AllowedOrigins = []string{"https://app.example.com"} }
	for _, tt := range []struct {
		name, method string
		headers      []string
		status       int
	}{
		{"no browser", "POST", nil, 200},
		{"foreign origin", "POST", []string{"Origin: https://evil.example"}, 403},
		{"foreign site", "POST", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"trusted origin", "POST", []string{"Origin: https://app.example.com", "Sec-Fetch-Site: cross-site"}, 200},
		{"same origin", "POST", []string{"Sec-Fetch-Site: same-origin"}, 200},
		{"foreign read", "GET", []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := call(t, handler(t, newFake(t), trusted), tt.method, participantsPath, "", tt.headers...)
			if got.Status != tt.status {
				t.Errorf("response = %+v, want %d", got, tt.status)
			}
			if tt.status == 403 && (!strings.Contains(got.Body, `"ORIGIN_REFUSED"`) || !strings.Contains(got.Body, `"dialled":"no"`)) {
				t.Errorf("body = %s", got.Body)
			}
		})
	}
}

func TestAllowedOriginsMayRead(t *testing.T) {
	trusted := func(o *Options) { o.AllowedOrigins = []string{"https://app.example.com"} }
	for _, tt := range []struct {
		name, method, origin string
		headers              []string
		status               int
		allow                string
	}{
		{"allowed", "GET", "https://app.example.com", nil, 200, "https://app.example.com"},
		{"foreign", "GET", "https://evil.example", nil, 200, ""},
		{"preflight", "OPTIONS", "https://app.example.com", []string{"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type,x-auth-token"}, 204, "https://app.example.com"},
		{"foreign preflight", "OPTIONS", "https://evil.example", []string{"Access-Control-Request-Method: POST"}, 204, ""},
		{"preflight of a method that does not exist", "OPTIONS", "https://app.example.com", []string{"Access-Control-Request-Method: PUT"}, 204, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := call(t, handler(t, newFake(t), trusted), tt.method, participantsPath, "", append(tt.headers, "Origin: "+tt.origin)...)
			if exposes := got.Header.Get("Access-Control-Expose-Headers"); tt.name == "allowed" && !strings.HasPrefix(exposes, "X-Request-Id, Traceparent, ") {
				t.Errorf("exposed headers = %q", exposes)
			}
			if got.Status != tt.status || got.Header.Get("Access-Control-Allow-Origin") != tt.allow || !strings.HasPrefix(got.Header.Get("Vary"), "Origin") {
				t.Errorf("response = %+v", got)
			}
			if tt.status == 204 && tt.allow != "" && got.Header.Get("Access-Control-Allow-Headers") != "content-type,x-auth-token" {
				t.Errorf("headers = %v", got.Header)
			}
		})
	}
	if got := call(t, handler(t, newFake(t)), "GET", participantsPath, "", "Origin: https://app.example.com"); got.Header.Get("Vary") != "" {
		t.Errorf("without an allow-list: headers = %v", got.Header)
	}
}

func TestNewRefusesInvalidOrigins(t *testing.T) {
	if _, err := New(Options{Service: newFake(t), AllowedOrigins: []string{"app.example.com"}}); err == nil {
		t.Error("New() took an origin without a scheme")
	}
}

func TestForeignHostsAreRefused(t *testing.T) {
	for _, tt := range []struct {
		host string
		own  bool
	}{
		{"localhost", true},
		{"localhost:8080", true},
		{"LOCALHOST.", true},
		{"app.localhost:8080", true},
		{"127.0.0.1:8080", true},
		{"10.1.2.3", true},
		{"[::1]:8080", true},
		{"[::1]", true},
		{"gateway.example.com", true},
		{"Gateway.Example.com:8080", true},
		{"other.example.com:9000", true},
		{"", true},
		{"other.example.com", false},
		{"evil.example", false},
		{"localhost.evil.example:8080", false},
		{"127.0.0.1.evil.example", false},
		{"gateway.example.com.evil.example", false},
	} {
		if got := isOwnHost(tt.host, []string{"gateway.example.com", "other.example.com:9000"}); got != tt.own {
			t.Errorf("isOwnHost(%q) = %t, want %t", tt.host, got, tt.own)
		}
	}
	checked := handler(t, newFake(t), func(o *Options) { o.CheckHosts = true })
	if got := call(t, checked, "GET", participantsPath, "", "Host: evil.example"); got.Status != 403 || !strings.Contains(got.Body, `"HOST_REFUSED"`) {
		t.Errorf("response = %+v", got)
	}
	if got := call(t, handler(t, newFake(t)), "GET", participantsPath, "", "Host: evil.example"); got.Status != 200 {
		t.Errorf("unchecked: response = %+v", got)
	}
}

// A response must not change an error that other calls share.
func TestA01_ASharedErrorIsNotChanged(t *testing.T) {
	shared := &apierror.Error{Reason: apierror.CredentialMissing, Message: "no credential"}
	h, err := New(Options{
		Service: newFake(t), Logger: slog.New(slog.DiscardHandler),
		Precheck: func(context.Context, access.Credentials, proto.Message) error { return shared },
	})
	if err != nil {
		t.Fatal(err)
	}
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			got := call(t, h, http.MethodPost, participantsPath, "{", isJSONHeader)
			if got.Status != 401 || !strings.Contains(got.Body, `"dialled":"no"`) {
				t.Errorf("response = %+v", got)
			}
		})
	}
	calls.Wait()
	if shared.Dialled != "" {
		t.Errorf("dialled is %q", shared.Dialled)
	}
}
