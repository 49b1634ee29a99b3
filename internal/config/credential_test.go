package config_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/redact"
)

// secretFile returns the path of a file with this content.
func secretFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCredential(t *testing.T) {
	file := secretFile(t, "\n  from-file\t\n")
	for _, test := range []struct {
		name       string
		args       []string
		env        environ
		token, key redact.Secret
	}{
		{"token flag", []string{"--upstream-token=t"}, nil, "t", ""},
		{"token flag, value apart", []string{"--upstream-token", "t"}, nil, "t", ""},
		{"token that starts with a hyphen", []string{"--upstream-token=-t"}, nil, "-t", ""},
		{"token variable", nil, environ{"AUDIAN_AUTH_TOKEN": "t"}, "t", ""},
		{"token file flag", []string{"--upstream-token-file", file}, nil, "from-file", ""},
		{"token file variable", nil, environ{"AUDIAN_AUTH_TOKEN_FILE": file}, "from-file", ""},
		{"key flag", []string{"--upstream-api-key=k"}, nil, "", "k"},
		{"key variable", nil, environ{"AUDIAN_API_KEY": "k"}, "", "k"},
		{"key file flag", []string{"--upstream-api-key-file", file}, nil, "", "from-file"},
		{"key file variable", nil, environ{"AUDIAN_API_KEY_FILE": file}, "", "from-file"},
		{"token flag before its file's variable", []string{"--upstream-token=t"}, environ{"AUDIAN_AUTH_TOKEN_FILE": file}, "t", ""},
		{"token file flag before its variable", []string{"--upstream-token-file", file}, environ{"AUDIAN_AUTH_TOKEN": "t"}, "from-file", ""},
		{"empty variables are unset", nil, environ{"AUDIAN_API_KEY": "k", "AUDIAN_AUTH_TOKEN": "", "AUDIAN_AUTH_TOKEN_FILE": ""}, "", "k"},
		{"GATEWAY_DEMO off", nil, environ{"GATEWAY_DEMO": "no", "AUDIAN_API_KEY": "k"}, "", "k"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := parse(t, test.args, test.env)
			if cfg.Upstream.Token != test.token || cfg.Upstream.APIKey != test.key {
				t.Errorf("got token %q and key %q, want %q and %q",
					cfg.Upstream.Token.Reveal(), cfg.Upstream.APIKey.Reveal(), test.token.Reveal(), test.key.Reveal())
			}
			if len(cfg.Ignored) != 0 {
				t.Errorf("ignored %q", cfg.Ignored)
			}
		})
	}
}

func TestWrongCredential(t *testing.T) {
	const hidden = "hidden-1"
	empty, file := secretFile(t, " \n"), secretFile(t, hidden)
	broken := secretFile(t, hidden+"\n"+hidden)
	for _, test := range []struct {
		name string
		args []string
		env  environ
		want []string
	}{
		{"none", nil, nil, []string{"AUDIAN_API_KEY", "AUDIAN_AUTH_TOKEN", "--auth=passthrough", "--demo"}},
		{"token and key", []string{"--upstream-token=" + hidden, "--upstream-api-key=" + hidden}, nil, []string{"--upstream-token and --upstream-api-key are both set"}},
		{"token flag and key variable", []string{"--upstream-token=" + hidden}, environ{"AUDIAN_API_KEY": hidden}, []string{"--upstream-token and AUDIAN_API_KEY are both set"}},
		{"token file and key variable", nil, environ{"AUDIAN_AUTH_TOKEN_FILE": file, "AUDIAN_API_KEY": hidden}, []string{"AUDIAN_AUTH_TOKEN_FILE and AUDIAN_API_KEY are both set"}},
		{"token twice, flags", []string{"--upstream-token=" + hidden, "--upstream-token-file", file}, nil, []string{"--upstream-token and --upstream-token-file are both set"}},
		{"key twice, variables", nil, environ{"AUDIAN_API_KEY": hidden, "AUDIAN_API_KEY_FILE": file}, []string{"AUDIAN_API_KEY and AUDIAN_API_KEY_FILE are both set"}},
		{"no such file", []string{"--upstream-token-file=/no/such"}, nil, []string{"--upstream-token-file: ", "/no/such"}},
		{"folder", nil, environ{"AUDIAN_API_KEY_FILE": t.TempDir()}, []string{"AUDIAN_API_KEY_FILE: "}},
		{"empty file", nil, environ{"AUDIAN_API_KEY_FILE": empty}, []string{"AUDIAN_API_KEY_FILE: ", empty, "is empty"}},
		{"two lines in a file", []string{"--upstream-token-file", broken}, nil, []string{"--upstream-token-file must be printable ASCII"}},
		{"space", nil, environ{"AUDIAN_AUTH_TOKEN": hidden + " " + hidden}, []string{"AUDIAN_AUTH_TOKEN must be printable ASCII"}},
		{"beyond ASCII", nil, environ{"AUDIAN_API_KEY": hidden + "é"}, []string{"AUDIAN_API_KEY must be printable ASCII"}},
		{"starts with a hyphen", []string{"--upstream-token", "-" + hidden}, nil, []string{"--upstream-token: needs a value"}},
		{"starts with two", []string{"--upstream-api-key", "--" + hidden + "=x"}, nil, []string{"--upstream-api-key: needs a value"}},
		{"value of an empty flag", []string{"--upstream-token=", hidden}, nil, []string{"unexpected argument"}},
		{"value of a mistyped flag", []string{"--upstream-tokn=" + hidden}, nil, []string{"unknown flag --upstream-tokn"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := parseError(t, test.args, test.env)
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("got %s, want %q in it", got, want)
				}
			}
			if strings.Contains(got, hidden) {
				t.Errorf("the secret is shown: %s", got)
			}
		})
	}
}

func TestDemo(t *testing.T) {
	env := environ{
		"AUDIAN_BASE_URL": "not a url", "AUDIAN_AUTH_HEADER": "cookie",
		"AUDIAN_AUTH_TOKEN": "t", "AUDIAN_API_KEY": "k", "AUDIAN_API_KEY_FILE": "/no/such", "AUDIAN_AUTH_TOKEN_FILE": "",
	}
	for name, args := range map[string][]string{"flag": {"--demo"}, "variable": nil} {
		env["GATEWAY_DEMO"] = map[string]string{"variable": "1"}[name]
		cfg := parse(t, args, env)
		if want := (config.Upstream{AuthHeader: config.HeaderXAuthToken}); !cfg.Demo || cfg.Upstream != want {
			t.Errorf("%s: got demo %v, upstream %+v", name, cfg.Demo, cfg.Upstream)
		}
		slices.Sort(cfg.Ignored)
		want := []string{"AUDIAN_API_KEY", "AUDIAN_API_KEY_FILE", "AUDIAN_AUTH_HEADER", "AUDIAN_AUTH_TOKEN", "AUDIAN_BASE_URL"}
		if !slices.Equal(cfg.Ignored, want) {
			t.Errorf("%s: ignored %q, want %q", name, cfg.Ignored, want)
		}
	}
}

func TestDemoRefusesUpstreamFlags(t *testing.T) {
	for _, flag := range []string{
		"--upstream-url=http://127.0.0.1:1", "--upstream-token=t", "--upstream-token-file=f",
		"--upstream-api-key=k", "--upstream-api-key-file=f", "--upstream-auth-header=bearer",
	} {
		name, _, _ := strings.Cut(flag, "=")
		if got := parseError(t, []string{"--demo", flag}, nil); !strings.HasPrefix(got, name+" cannot be given with --demo") {
			t.Errorf("%s: got %s", flag, got)
		}
	}
}

func TestPassthroughNeedsNoCredential(t *testing.T) {
	cfg := parse(t, []string{"--auth=passthrough", "--upstream-url=http://127.0.0.1:1"}, environ{"AUDIAN_API_KEY": "k", "AUDIAN_AUTH_HEADER": "bearer"})
	if want := (config.Upstream{URL: "http://127.0.0.1:1", AuthHeader: config.HeaderBearer}); cfg.Upstream != want {
		t.Errorf("got %+v, want %+v", cfg.Upstream, want)
	}
	if !slices.Equal(cfg.Ignored, []string{"AUDIAN_API_KEY"}) {
		t.Errorf("ignored %q", cfg.Ignored)
	}
	got := parseError(t, []string{"--auth=passthrough", "--upstream-token=t"}, nil)
	if !strings.HasPrefix(got, "--upstream-token cannot be given with --auth=passthrough") {
		t.Errorf("got %s", got)
	}
}

func TestAConfigShowsNoSecret(t *testing.T) {
	cfg := parse(t, []string{"--upstream-token=hidden-1"}, nil)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("start", "config", cfg)
	for _, shown := range []string{fmt.Sprintf("%v", cfg), fmt.Sprintf("%+v", cfg), fmt.Sprintf("%#v", cfg), log.String()} {
		if strings.Contains(shown, "hidden-1") || !strings.Contains(shown, "[redacted]") {
			t.Errorf("the secret is shown: %s", shown)
		}
	}
}
