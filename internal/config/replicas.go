package config

import (
	"crypto/x509"
	"os"
	"regexp"

	"github.com/audian/participant-gateway/internal/redact"
	"github.com/audian/participant-gateway/internal/replica/redisurl"
)

// Redis is what replicas of the gateway share. Without a URL the gateway is one process.
type Redis struct {
	URL       redact.Secret `name:"url"                          placeholder:"URL"  help:"Redis 7 or Valkey that replicas share: redis://, rediss:// or unix://, with user and password; with ?master_name=NAME it is a Sentinel's. Empty: one process. Prefer the file or the variable."`
	URLFile   string        `name:"url-file"                     placeholder:"FILE" help:"File with the URL of Redis."`
	Prefix    string        `name:"prefix"      default:"pgw:"   placeholder:"TEXT" help:"Start of every key and channel in Redis, the same for all replicas of a deployment (default ${default})."`
	TLSCAFile string        `name:"tls-ca-file"                  placeholder:"FILE" help:"File with the authorities (PEM) of Redis' certificate; empty: the system's."`
}

// On reports whether the gateway is one of several replicas.
func (r Redis) On() bool { return r.URL != "" }

// checkReplicas leaves the URL of Redis in Redis.URL.
func (c *Config) checkReplicas(env *environment) error {
	name, err := env.secret("redis-url", &c.Redis.URL, c.Redis.URLFile)
	if err != nil {
		return err
	}
	return c.checkRedis(env, name)
}

// prefixes are texts without the special characters of patterns in Redis' access rules.
var prefixes = regexp.MustCompile(`^[A-Za-z0-9:._-]{1,64}$`)

func (c *Config) checkRedis(env *environment, name string) error {
	r, authorities := c.Redis, env.name("redis-tls-ca-file")
	switch {
	case !prefixes.MatchString(r.Prefix):
		return usageError("%s must be 1 to 64 characters of A-Z a-z 0-9 : . _ - but is %q", env.name("redis-prefix"), r.Prefix)
	case !r.On() && r.TLSCAFile != "":
		return usageError("%s needs --redis-url", authorities)
	case !r.On():
		return nil
	case c.Access.Auth == AuthPassthrough:
		return usageError("%s cannot be used with --auth=passthrough: the callers' tokens stay in one process", name)
	}
	target, err := redisurl.Parse(r.URL)
	switch {
	case err != nil:
		return usageError("%s %v", name, err)
	case r.TLSCAFile == "":
		return nil
	case !target.TLS():
		return usageError("%s needs a URL that starts with rediss://", authorities)
	default:
		return checkAuthorities(authorities, r.TLSCAFile)
	}
}

// checkAuthorities refuses a file without a certificate.
func checkAuthorities(name, file string) error {
	pem, err := os.ReadFile(file) //nolint:gosec // The operator chooses the file.
	if err != nil {
		return usageError("%s cannot be read: %v", name, err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return usageError("%s contains no certificate: %q", name, file)
	}
	return nil
}
