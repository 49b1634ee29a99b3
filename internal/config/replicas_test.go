package config_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/certs/certstest"
)

const redisURL, redisTLSURL, redisPassword = "redis://gateway:open-sesame@127.0.0.1:7000/1", "rediss://gateway:open-sesame@127.0.0.1", "open-sesame"

func TestRedisSettings(t *testing.T) {
	file := secretFile(t, redisURL+"\n")
	authorities := secretFile(t, string(certstest.NewAuthority(t).PEM()))
	for name, test := range map[string]struct {
		args []string
		env  environ
		want string
	}{
		"flag":                {[]string{"--redis-url=" + redisURL}, nil, redisURL},
		"variable":            {nil, environ{"GATEWAY_REDIS_URL": redisURL}, redisURL},
		"file flag":           {[]string{"--redis-url-file=" + file}, nil, redisURL},
		"file variable":       {nil, environ{"GATEWAY_REDIS_URL_FILE": file}, redisURL},
		"Sentinel":            {[]string{"--redis-url=" + redisURL + "?master_name=main&addr=h2:26379"}, nil, redisURL + "?master_name=main&addr=h2:26379"},
		"prefix":              {[]string{"--redis-url=" + redisURL, "--redis-prefix=staging:1.a_b-c:"}, nil, redisURL},
		"authorities":         {[]string{"--redis-url=" + redisTLSURL, "--redis-tls-ca-file=" + authorities}, nil, redisTLSURL},
		"flag over variables": {[]string{"--redis-url=" + redisURL}, environ{"GATEWAY_REDIS_URL": "x", "GATEWAY_REDIS_URL_FILE": file}, redisURL},
	} {
		t.Run(name, func(t *testing.T) {
			env := environ{"GATEWAY_AUTH": "none", "AUDIAN_AUTH_TOKEN": "t"}
			maps.Copy(env, test.env)
			if cfg := parse(t, test.args, env); !cfg.Redis.On() || cfg.Redis.URL.Reveal() != test.want {
				t.Errorf("the URL is %q, want %q", cfg.Redis.URL.Reveal(), test.want)
			}
		})
	}
}

func TestRefusedRedisSettings(t *testing.T) {
	const url, tlsURL, password = redisURL, redisTLSURL, redisPassword
	file, empty := secretFile(t, url+"\n"), secretFile(t, "\n")
	authorities := secretFile(t, string(certstest.NewAuthority(t).PEM()))
	for name, test := range map[string]struct {
		args []string
		env  environ
		want string
	}{
		"both flags":     {[]string{"--redis-url=" + url, "--redis-url-file=" + file}, nil, "--redis-url and --redis-url-file are both set"},
		"both variables": {nil, environ{"GATEWAY_REDIS_URL": url, "GATEWAY_REDIS_URL_FILE": file}, "GATEWAY_REDIS_URL and GATEWAY_REDIS_URL_FILE are both set"},
		"empty file":     {[]string{"--redis-url-file=" + empty}, nil, "--redis-url-file: "},
		"no file":        {nil, environ{"GATEWAY_REDIS_URL_FILE": empty + ".no"}, "GATEWAY_REDIS_URL_FILE: "},
		"a space":        {[]string{"--redis-url=" + url + " "}, nil, "--redis-url must be printable ASCII without spaces"},
		"scheme":         {nil, environ{"GATEWAY_REDIS_URL": "http://:open-sesame@h"}, "GATEWAY_REDIS_URL must start with redis://"},
		"malformed":      {[]string{"--redis-url=redis://:open-sesame/@h"}, nil, "--redis-url is not a valid URL"},
		"Cluster":        {[]string{"--redis-url=" + url + "?addr=h2:6379"}, nil, "--redis-url is that of a Redis Cluster, which is not supported"},
		"our parameter":  {[]string{"--redis-url=" + url + "?read_timeout=9s"}, nil, "--redis-url has the parameter read_timeout"},
		"passthrough":    {[]string{"--redis-url=" + url, "--auth=passthrough"}, nil, "--redis-url cannot be used with --auth=passthrough"},
		"passthrough by variable": {
			nil,
			environ{"GATEWAY_REDIS_URL_FILE": file, "GATEWAY_AUTH": "passthrough"},
			"GATEWAY_REDIS_URL_FILE cannot be used with --auth=passthrough",
		},

		"empty prefix":              {[]string{"--redis-prefix="}, nil, "--redis-prefix must be 1 to 64 characters"},
		"pattern as a prefix":       {[]string{"--redis-prefix=*"}, nil, "--redis-prefix must be 1 to 64 characters"},
		"long prefix":               {nil, environ{"GATEWAY_REDIS_PREFIX": strings.Repeat("p", 65)}, "GATEWAY_REDIS_PREFIX must be 1 to 64 characters"},
		"authorities without TLS":   {[]string{"--redis-url=" + url, "--redis-tls-ca-file=" + authorities}, nil, "--redis-tls-ca-file needs a URL that starts with rediss://"},
		"authorities without Redis": {[]string{"--redis-tls-ca-file=" + authorities}, nil, "--redis-tls-ca-file needs --redis-url"},
		"no authority":              {[]string{"--redis-url=" + tlsURL, "--redis-tls-ca-file=" + file}, nil, "--redis-tls-ca-file contains no certificate"},
		"no authorities": {
			[]string{"--redis-url=" + tlsURL},
			environ{"GATEWAY_REDIS_TLS_CA_FILE": empty + ".no"},
			"GATEWAY_REDIS_TLS_CA_FILE cannot be read",
		},
	} {
		t.Run(name, func(t *testing.T) {
			env := environ{"GATEWAY_AUTH": "none", "AUDIAN_AUTH_TOKEN": "t"}
			if test.env["GATEWAY_AUTH"] != "" {
				delete(env, "AUDIAN_AUTH_TOKEN")
			}
			maps.Copy(env, test.env)
			line := parseError(t, test.args, env)
			if !strings.HasPrefix(line, test.want) || strings.Contains(line, password) {
				t.Errorf("got %q, want %q", line, test.want)
			}
		})
	}
}

func TestWithoutRedisTheGatewayIsOneProcess(t *testing.T) {
	cfg := parse(t, []string{"--demo"}, environ{"GATEWAY_REDIS_URL": "", "GATEWAY_REDIS_URL_FILE": ""})
	if cfg.Redis.On() || cfg.Redis.Prefix != "pgw:" || len(cfg.Ignored) > 0 {
		t.Errorf("got %+v, ignored %q", cfg.Redis, cfg.Ignored)
	}
}
