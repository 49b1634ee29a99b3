package config_test

import (
	"slices"
	"strings"
	"testing"
)

func TestOriginsAreNormalized(t *testing.T) {
	for value, want := range map[string]string{
		"https://app.example.com":                  "https://app.example.com",
		"HTTPS://App.Example.com":                  "https://app.example.com",
		"https://app.example.com/":                 "https://app.example.com",
		"https://app.example.com:443":              "https://app.example.com",
		"https://app.example.com:0443/":            "https://app.example.com",
		"https://app.example.com:80":               "https://app.example.com:80",
		"http://app.example.com:80":                "http://app.example.com",
		"http://localhost:3000":                    "http://localhost:3000",
		"http://my_app.local":                      "http://my_app.local",
		"http://127.0.0.1:8080":                    "http://127.0.0.1:8080",
		"http://[0:0:0:0:0:0:0:1]:8080":            "http://[::1]:8080",
		"https://[2001:DB8::1]":                    "https://[2001:db8::1]",
		"https://xn--bcher-kva.example":            "https://xn--bcher-kva.example",
		"chrome-extension://abcdefghijklmnop":      "chrome-extension://abcdefghijklmnop",
		"capacitor://localhost":                    "capacitor://localhost",
		"https://a.example,HTTPS://B.example:443/": "https://a.example,https://b.example",
	} {
		got := parse(t, []string{"--demo", "--cors-allowed-origins=" + value}, nil).Access.CORSAllowedOrigins
		if strings.Join(got, ",") != want {
			t.Errorf("%s: got %q, want %s", value, got, want)
		}
	}
}

func TestInvalidOriginsAreRefused(t *testing.T) {
	for _, value := range []string{
		"*", "null", "https://*.example.com", "https://*", "https://a.example/app", "https://a.example//", "https://a.example?x=1",
		"https://a.example?", "https://a.example#x", "https://a.example#", "app.example.com", "//app.example.com", "https://",
		"https:app.example.com", "ftp://a.example", "file://", "javascript://a.example", "https://a.example:0", "https://a.example:",
		"https://a.example:65536", "https://a.example:x", "https://a..example", "https://bücher.example", "https://a b.example",
		" https://a.example", "https://a.example ", "https://127.1", "https://300.1.1.1", "https://[::1", "https://[fe80::1%25eth0]",
		"https://-a.example", "https://" + strings.Repeat("a", 255),
	} {
		got := parseError(t, []string{"--demo"}, environ{"GATEWAY_CORS_ALLOWED_ORIGINS": "https://b.example," + value})
		if !strings.HasPrefix(got, "GATEWAY_CORS_ALLOWED_ORIGINS ") || !strings.Contains(got, `"`+value+`"`) {
			t.Errorf("%q: got %s", value, got)
		}
	}
}

func TestAllowedHosts(t *testing.T) {
	for value, want := range map[string]string{
		"gateway.example.com": "gateway.example.com", "Gateway.Example.com.": "gateway.example.com",
		"gateway.example.com:8080": "gateway.example.com:8080", "gateway": "gateway", "10.1.2.3": "10.1.2.3", "[::1]": "[::1]", "::1": "[::1]",
	} {
		if got := parse(t, []string{"--demo", "--allowed-hosts=" + value}, nil).Access.AllowedHosts; !slices.Equal(got, []string{want}) {
			t.Errorf("%s: got %q, want %s", value, got, want)
		}
	}
	for _, value := range []string{
		"*", "*.example.com", "https://a.example", "a.example/", "a.example:0", "a.example:65536", "a.example:", "a b", "ada@a.example",
		"a..example", "bücher.example", "300.1.1.1", ".",
	} {
		if got := parseError(t, []string{"--demo", "--allowed-hosts=" + value}, nil); !strings.Contains(got, "--allowed-hosts") || !strings.Contains(got, value) {
			t.Errorf("%q: got %s", value, got)
		}
	}
}

func TestErrorsNameTheUpstreamVariable(t *testing.T) {
	for name, want := range map[string]string{
		"GATEWAY_UPSTREAM_URL":          "set AUDIAN_BASE_URL",
		"GATEWAY_UPSTREAM_TOKEN":        "set AUDIAN_AUTH_TOKEN",
		"GATEWAY_UPSTREAM_TOKEN_FILE":   "set AUDIAN_AUTH_TOKEN_FILE",
		"GATEWAY_UPSTREAM_API_KEY":      "set AUDIAN_API_KEY",
		"GATEWAY_UPSTREAM_API_KEY_FILE": "set AUDIAN_API_KEY_FILE",
		"GATEWAY_UPSTREAM_AUTH_HEADER":  "set AUDIAN_AUTH_HEADER",
		"GATEWAY_UPSTREAM_HOST":         "set one of AUDIAN_BASE_URL, ",
		"GATEWAY_UPSTREAM_PORT":         "set one of AUDIAN_BASE_URL, ",
	} {
		for _, env := range []environ{{name: "hidden-1"}, {name: "hidden-1", "AUDIAN_API_KEY": "k"}, {name: "hidden-1", "GATEWAY_DEMO": "1"}} {
			got := parseError(t, nil, env)
			if !strings.HasPrefix(got, name+" is not a variable of the gateway: "+want) || strings.Contains(got, "hidden-1") {
				t.Errorf("%v: got %s", env, got)
			}
		}
		parse(t, []string{"--demo"}, environ{name: ""})
	}
}

// A Kubernetes service named gateway sets variables with the same prefix.
func TestUnknownVariablesAreReported(t *testing.T) {
	cfg := parse(t, []string{"--demo"}, environ{
		"GATEWAY_POLL_INTERVALL": "1s", "GATEWAY_HTTP_PORT": "8080", "GATEWAY_EMPTY": "", "GATEWAYS": "1", "OTHER_GATEWAY_X": "1",
		"GATEWAY_LINGER": "1s", "AUDIAN_API_KEY": "k",
		"GATEWAY_SERVICE_HOST": "10.0.0.1", "GATEWAY_SERVICE_PORT": "8080", "GATEWAY_SERVICE_PORT_HTTP": "8080",
		"GATEWAY_PORT": "tcp://10.0.0.1:8080", "GATEWAY_PORT_8080_TCP": "tcp://10.0.0.1:8080", "GATEWAY_PORT_8080_TCP_ADDR": "10.0.0.1",
		"GATEWAY_UPSTREAM_SERVICE_HOST": "10.0.0.2", "GATEWAY_UPSTREAM_PORT": "tcp://10.0.0.2:1",
	})
	if want := []string{"GATEWAY_HTTP_PORT", "GATEWAY_POLL_INTERVALL", "AUDIAN_API_KEY"}; !slices.Equal(cfg.Ignored, want) {
		t.Errorf("got %v, want %v", cfg.Ignored, want)
	}
}

func TestAnErrorIsOneLine(t *testing.T) {
	if got := parseError(t, []string{"--demo", "--auth=keys", "--auth-keys-file=/no/such\nfile"}, nil); !strings.Contains(got, `/no/such\nfile`) {
		t.Errorf("got %q", got)
	}
}
