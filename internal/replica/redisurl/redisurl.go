// Package redisurl reads the URL of the Redis that replicas share. Its errors show neither the
// URL nor a password.
package redisurl

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/audian/participant-gateway/internal/redact"
)

// Target is where Redis is: one address, or the Sentinels that know it.
type Target struct {
	// Exactly one of Single and Sentinel is set.
	Single   *redis.Options
	Sentinel *redis.FailoverOptions
}

// TLS reports whether connections use TLS.
func (t *Target) TLS() bool {
	if t.Sentinel != nil {
		return t.Sentinel.TLSConfig != nil
	}
	return t.Single.TLSConfig != nil
}

// String returns the address for logs, without user and password.
func (t *Target) String() string {
	if t.Sentinel != nil {
		return fmt.Sprintf("%s of the Sentinels %s", t.Sentinel.MasterName, strings.Join(t.Sentinel.SentinelAddrs, ", "))
	}
	return t.Single.Addr
}

// Parse reads a URL in the forms of go-redis: redis://, rediss:// and unix://. With the
// parameter master_name its addresses are those of Sentinels.
func Parse(secret redact.Secret) (*Target, error) {
	u, err := url.Parse(secret.Reveal())
	switch {
	case err != nil, hasMisplacedUser(u):
		// The parser's text would repeat a part of the password.
		return nil, errors.New("is not a valid URL; write special characters of a user and a password as in %2F")
	case strings.Contains(u.Scheme, "cluster"), strings.Contains(u.Host, ","):
		return nil, errCluster
	case !slices.Contains(schemes, u.Scheme):
		return nil, errors.New("must start with redis://, rediss:// or unix://")
	}
	if err := checkParameters(u.Query()); err != nil {
		return nil, err
	}
	return parse(u)
}

// hasMisplacedUser recognizes a user or password that ended early because of an unescaped
// slash, question mark or number sign.
func hasMisplacedUser(u *url.URL) bool {
	return u.Opaque != "" || strings.Contains(u.Path+u.RawQuery+u.Fragment, "@")
}

var (
	schemes    = []string{"redis", "rediss", "unix"}
	errCluster = errors.New("is that of a Redis Cluster, which is not supported; " +
		"several addresses are those of Sentinels, with the parameter master_name")
)

// own are the parameters of go-redis that the gateway sets itself, since its promises depend
// on them, or that would read from a replica of Redis.
var own = []string{
	"protocol", "max_retries", "min_retry_backoff", "max_retry_backoff", "dial_timeout", "dialer_retries", "dialer_retry_timeout",
	"read_timeout", "write_timeout", "pool_timeout", "context_timeout_enabled", "client_name", "disableIdentity", "identitySuffix",
	"pipeline_pool_size", "route_by_latency", "route_by_latency_tolerance", "route_randomly", "replica_only", "use_disconnected_replicas",
}

func checkParameters(q url.Values) error {
	switch name := q.Get("master_name"); {
	case name == "" && q.Has("master_name"):
		return errors.New("needs a name in the parameter master_name")
	case name == "" && q.Has("addr"):
		return errCluster
	}
	for _, name := range own {
		if q.Has(name) {
			return fmt.Errorf("has the parameter %s, which the gateway sets itself", name)
		}
	}
	return nil
}

func parse(u *url.URL) (*Target, error) {
	if !u.Query().Has("master_name") {
		single, err := redis.ParseURL(u.String())
		return &Target{Single: single}, masked(u, err)
	}
	sentinel, err := redis.ParseFailoverURL(u.String())
	if err != nil {
		return nil, masked(u, err)
	}
	if sentinel.TLSConfig != nil {
		// Sentinels and Redis have names of their own: each connection checks the one it dials.
		sentinel.TLSConfig.ServerName = ""
	}
	return &Target{Sentinel: sentinel}, nil
}

// masked returns the error of go-redis without its package name and without passwords.
func masked(u *url.URL, err error) error {
	if err == nil {
		return nil
	}
	password, _ := u.User.Password()
	secrets := redact.Secrets{redact.Secret(password), redact.Secret(u.Query().Get("password"))}
	return errors.New(secrets.Mask(strings.TrimPrefix(err.Error(), "redis: ")))
}
