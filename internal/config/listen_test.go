package config_test

import (
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	for addr, valid := range map[string]bool{
		"127.0.0.1:0":     true,
		"127.8.8.8:80":    true,
		"localhost:65535": true,
		"[::1]:8080":      true,
		"127.0.0.1":       false,
		"127.0.0.1:":      false,
		"127.0.0.1:http":  false,
		"127.0.0.1:65536": false,
		"::1:8080":        false,
		"8080":            false,
		"127.0.0.1:-1":    false,
		"127.0.0.1:+1":    false,
		"127.0.0.1:80 ":   false,
		"127.0.0.256:80":  false,
		"127.1:80":        false,
		"local host:80":   false,
		"*:80":            false,
		"a..b:80":         false,
	} {
		for _, flag := range []string{"--grpc-addr", "--http-addr", "--admin-addr"} {
			args := []string{"--demo", flag + "=" + addr}
			if valid {
				parse(t, args, nil)
				continue
			}
			if got := parseError(t, args, nil); !strings.Contains(got, flag+` must be host:port but is "`+addr+`"`) {
				t.Errorf("%q: got %s", args, got)
			}
		}
	}
}

// [::ffff:127.0.0.1] is a loopback address.
func TestAddressesOffLoopbackNeedInsecureFlags(t *testing.T) {
	const noAuth, plaintext = "--insecure-no-auth", "--insecure-plaintext"
	for _, addr := range []string{":8080", "0.0.0.0:8080", "[::]:8080", "10.1.2.3:8080", "gateway.internal:8080"} {
		for _, flag := range []string{"--grpc-addr", "--http-addr"} {
			at := flag + "=" + addr
			for _, test := range []struct {
				args []string
				want []string
			}{
				{[]string{"--demo", at}, []string{flag, addr, noAuth, plaintext}},
				{[]string{"--demo", at, noAuth}, []string{flag, addr, plaintext}},
				{[]string{"--demo", at, plaintext}, []string{flag, addr, noAuth}},
				{[]string{"--auth=passthrough", at}, []string{flag, addr, plaintext}},
			} {
				got := parseError(t, test.args, nil)
				for _, want := range test.want {
					if !strings.Contains(got, want) {
						t.Errorf("%q: got %s, want %q named", test.args, got, want)
					}
				}
			}
			parse(t, []string{"--demo", at, noAuth, plaintext}, nil)
			parse(t, []string{"--auth=passthrough", at, plaintext}, nil)
		}
	}
	parse(t, []string{"--demo", "--http-addr=[::ffff:127.0.0.1]:8080"}, nil)
	parse(t, []string{"--demo", "--admin-addr=0.0.0.0:9091"}, nil)
}

func TestAnAddressErrorNamesItsVariable(t *testing.T) {
	got := parseError(t, []string{"--demo"}, environ{"GATEWAY_GRPC_ADDR": "0.0.0.0:9090"})
	if !strings.HasPrefix(got, `GATEWAY_GRPC_ADDR is "0.0.0.0:9090"`) {
		t.Errorf("got %s", got)
	}
}
