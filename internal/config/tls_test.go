package config_test

import (
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/certs/certstest"
)

// identity returns the three flags for valid files.
func identity(t *testing.T) (dir certstest.Dir, cert, key, authorities string) {
	t.Helper()
	authority, dir := certstest.NewAuthority(t), certstest.NewDir(t)
	dir.Put(authority.Server("gateway"))
	dir.Write(dir.ClientCA, authority.PEM())
	return dir, "--tls-cert-file=" + dir.Cert, "--tls-key-file=" + dir.Key, "--tls-client-ca-file=" + dir.ClientCA
}

func TestTLSFiles(t *testing.T) {
	dir, cert, key, authorities := identity(t)
	if cfg := parse(t, []string{"--demo"}, nil); cfg.TLS.On() || cfg.TLS.VerifiesClients() {
		t.Errorf("without flags: %+v", cfg.TLS)
	}
	if cfg := parse(t, []string{"--demo", cert, key}, nil); !cfg.TLS.On() || cfg.TLS.VerifiesClients() {
		t.Errorf("with a certificate: %+v", cfg.TLS)
	}
	env := environ{"GATEWAY_TLS_CERT_FILE": dir.Cert, "GATEWAY_TLS_KEY_FILE": dir.Key, "GATEWAY_TLS_CLIENT_CA_FILE": dir.ClientCA}
	if cfg := parse(t, []string{"--demo"}, env); !cfg.TLS.On() || !cfg.TLS.VerifiesClients() {
		t.Errorf("from the environment: %+v", cfg.TLS)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{cert}, "--tls-cert-file needs --tls-key-file"},
		{[]string{key}, "--tls-key-file needs --tls-cert-file"},
		{[]string{authorities}, "--tls-client-ca-file needs --tls-cert-file and --tls-key-file"},
		{[]string{cert + ".not", key}, "--tls-cert-file and --tls-key-file cannot be used: open "},
		{[]string{cert, "--tls-key-file=" + dir.Cert}, "--tls-cert-file and --tls-key-file cannot be used: tls: "},
		{[]string{cert, key, authorities + ".not"}, "--tls-client-ca-file cannot be read: open "},
		{[]string{cert, key, "--tls-client-ca-file=" + dir.Key}, "--tls-client-ca-file contains no certificate: "},
	} {
		if got := parseError(t, append(test.args, "--demo"), nil); !strings.HasPrefix(got, test.want) {
			t.Errorf("%q: got %s, want %s…", test.args, got, test.want)
		}
	}
	got := parseError(t, []string{"--demo"}, environ{"GATEWAY_TLS_KEY_FILE": dir.Key})
	if want := "GATEWAY_TLS_KEY_FILE needs --tls-cert-file"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTLSReplacesInsecureFlags(t *testing.T) {
	_, cert, key, authorities := identity(t)
	const noAuth, plaintext, at = "--insecure-no-auth", "--insecure-plaintext", "--grpc-addr=0.0.0.0:9090"
	parse(t, []string{"--auth=passthrough", at, cert, key}, nil)
	parse(t, []string{"--demo", at, cert, key, noAuth}, nil)
	parse(t, []string{"--demo", at, cert, key, authorities}, nil)
	got := parseError(t, []string{"--demo", at, cert, key}, nil)
	if !strings.Contains(got, noAuth) || strings.Contains(got, plaintext) {
		t.Errorf("got %s", got)
	}
}
