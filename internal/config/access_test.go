package config_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/config"
)

func TestAuthKeys(t *testing.T) {
	file := secretFile(t, "")
	for _, args := range [][]string{
		{"--demo", "--auth=keys", "--auth-keys-file=" + file},
		{"--demo", "--auth=keys", "--auth-keys-file", file, "--http-addr=0.0.0.0:8080", "--insecure-plaintext"},
	} {
		if cfg := parse(t, args, nil); cfg.Access.Auth != config.AuthKeys || cfg.Access.AuthKeysFile != file {
			t.Errorf("%q: got %+v", args, cfg.Access)
		}
	}
	parse(t, nil, environ{"GATEWAY_DEMO": "1", "GATEWAY_AUTH": "keys", "GATEWAY_AUTH_KEYS_FILE": file})
}

func TestAuthOIDC(t *testing.T) {
	want := config.Access{Auth: config.AuthOIDC, OIDCIssuer: "https://id.example/realm", OIDCAudience: "gateway", OIDCRoleClaim: "role"}
	cfg := parse(t, []string{"--demo", "--auth=oidc", "--oidc-issuer=https://id.example/realm", "--oidc-audience=gateway"}, nil)
	if !reflect.DeepEqual(cfg.Access, want) {
		t.Errorf("got %+v, want %+v", cfg.Access, want)
	}
	want.OIDCRoleClaim, want.OIDCIssuer = "https://a.example/roles", "http://127.0.0.1:1"
	cfg = parse(t, nil, environ{
		"GATEWAY_DEMO": "1", "GATEWAY_AUTH": "oidc", "GATEWAY_OIDC_ISSUER": want.OIDCIssuer,
		"GATEWAY_OIDC_AUDIENCE": "gateway", "GATEWAY_OIDC_ROLE_CLAIM": want.OIDCRoleClaim,
	})
	if !reflect.DeepEqual(cfg.Access, want) {
		t.Errorf("got %+v, want %+v", cfg.Access, want)
	}
}

func TestWrongAuth(t *testing.T) {
	oidc := func(more ...string) []string {
		return append([]string{"--auth=oidc", "--oidc-issuer=https://id.example", "--oidc-audience=gateway"}, more...)
	}
	for _, test := range []struct {
		args []string
		env  environ
		want string
	}{
		{[]string{"--auth=keys"}, nil, "--auth=keys needs --auth-keys-file"},
		{[]string{"--auth=keys", "--auth-keys-file=/no/such"}, nil, "--auth-keys-file: open /no/such"},
		{[]string{"--auth=keys"}, environ{"GATEWAY_AUTH_KEYS_FILE": "/no/such"}, "GATEWAY_AUTH_KEYS_FILE: open /no/such"},
		{[]string{"--auth=keys", "--auth-keys-file=/"}, nil, `--auth-keys-file must be a file but is "/"`},
		{[]string{"--auth-keys-file=f"}, nil, "--auth-keys-file cannot be given with --auth=none"},
		{oidc("--auth-keys-file=f"), nil, "--auth-keys-file cannot be given with --auth=oidc"},
		{[]string{"--auth=passthrough", "--oidc-issuer=https://id.example"}, nil, "--oidc-issuer cannot be given with --auth=passthrough"},
		{[]string{"--auth=oidc", "--oidc-audience=gateway"}, nil, "--auth=oidc needs --oidc-issuer"},
		{[]string{"--auth=oidc", "--oidc-issuer=https://id.example"}, nil, "--auth=oidc needs --oidc-audience"},
		{oidc("--oidc-role-claim="), nil, "--oidc-role-claim must name a claim"},
		{oidc("--oidc-issuer=id.example"), nil, `--oidc-issuer must be an http or https URL but is "id.example"`},
		{oidc("--oidc-issuer=http://id.example"), nil, `--oidc-issuer must be https, or on loopback, but is "http://id.example"`},
		{oidc("--oidc-issuer=https://me:hidden-1@id.example"), nil, "--oidc-issuer must not contain a user or password"},
	} {
		got := parseError(t, append([]string{"--demo"}, test.args...), test.env)
		if !strings.HasPrefix(got, test.want) || strings.Contains(got, "hidden-1") {
			t.Errorf("%q, %v:\ngot  %s\nwant %s", test.args, test.env, got, test.want)
		}
	}
}

func TestVariablesOfOtherModesAreReported(t *testing.T) {
	cfg := parse(t, []string{"--demo"}, environ{"GATEWAY_AUTH_KEYS_FILE": "/no/such", "GATEWAY_OIDC_ISSUER": "x"})
	if !slices.Equal(cfg.Ignored, []string{"GATEWAY_AUTH_KEYS_FILE", "GATEWAY_OIDC_ISSUER"}) {
		t.Errorf("got %v", cfg.Ignored)
	}
	if cfg.Access.AuthKeysFile != "" || cfg.Access.OIDCIssuer != "" {
		t.Errorf("got %+v", cfg.Access)
	}
}

func TestParseKeys(t *testing.T) {
	five := 5
	for line, want := range map[string]config.KeysEdit{
		"add --file f --name n --role reader":                                 {File: "f", Name: "n", Role: "reader"},
		"add --file f --name n --role viewer":                                 {File: "f", Name: "n", Role: "viewer"},
		"add --file=f --name=n --role=writer --conference a,b --conference=c": {File: "f", Name: "n", Role: "writer", Conferences: []string{"a,b", "c"}},
		"add --file f --name n --role writer --allow-prefix +1 --allow-prefix=+44,+49 --adds-per-day 5": {
			File: "f", Name: "n", Role: "writer", AllowPrefix: []string{"+1", "+44", "+49"}, AddsPerDay: &five,
		},
		"revoke --name n --file f": {Revoke: true, File: "f", Name: "n"},
	} {
		if got, err := config.ParseKeys(strings.Fields(line), io.Discard); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v, want %+v", line, got, err, want)
		}
	}
}

func TestWrongKeysLine(t *testing.T) {
	for line, want := range map[string]string{
		"":                                      `expected one of`,
		"list":                                  `unexpected argument`,
		"add --name n --role reader":            `missing flags: --file=FILE`,
		"add --file f --name n":                 `missing flags: --role=ROLE`,
		"add --file f --name n --role boss":     `--role must be one of "viewer","reader","writer" but got "boss"`,
		"revoke --file f":                       `missing flags: --name=NAME`,
		"revoke --file f --name n --role r":     `unknown flag --role`,
		"revoke --file f --name n --force":      `unknown flag --force`,
		"add --file f --name n --role reader x": `unexpected argument`,
	} {
		_, err := config.ParseKeys(strings.Fields(line), io.Discard)
		exit, ok := errors.AsType[*config.ExitError](err)
		if !ok || exit.Code != 2 || !strings.Contains(exit.Error(), want) {
			t.Errorf("%s: got %v, want %q and exit code 2", line, err, want)
		}
	}
}

func TestHelpOfKeys(t *testing.T) {
	for _, line := range []string{"--help", "add -h", "revoke --help"} {
		var stdout bytes.Buffer
		_, err := config.ParseKeys(strings.Fields(line), &stdout)
		if exit, ok := errors.AsType[*config.ExitError](err); !ok || exit.Code != 0 || !strings.Contains(stdout.String(), "Usage: server keys") {
			t.Errorf("%s: got %v and %q", line, err, &stdout)
		}
	}
}
