package redisurl_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/redact"
	"github.com/audian/participant-gateway/internal/replica/redisurl"
)

func TestSingle(t *testing.T) {
	for url, want := range map[string]struct {
		network, addr, user, password string
		db                            int
		tls                           bool
	}{
		"redis://localhost":                     {"tcp", "localhost:6379", "", "", 0, false},
		"redis://[::1]:7000/3":                  {"tcp", "[::1]:7000", "", "", 3, false},
		"rediss://user:p%2Fw%40d@redis:6380/0":  {"tcp", "redis:6380", "user", "p/w@d", 0, true},
		"rediss://:pw@redis?skip_verify=true":   {"tcp", "redis:6379", "", "pw", 0, true},
		"unix://user:pw@/run/redis.sock?db=2":   {"unix", "/run/redis.sock", "user", "pw", 2, false},
		"redis://redis:6379?pool_size=5&db=1":   {"tcp", "redis:6379", "", "", 1, false},
		"redis://redis.example.com:6379/?db=11": {"tcp", "redis.example.com:6379", "", "", 11, false},
	} {
		target, err := redisurl.Parse(redact.Secret(url))
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		o := target.Single
		if target.Sentinel != nil || o.Network != want.network || o.Addr != want.addr || o.Username != want.user ||
			o.Password != want.password || o.DB != want.db || target.TLS() != want.tls || target.String() != want.addr {
			t.Errorf("%s: got %+v as %s", url, o, target)
		}
	}
}

func TestSentinel(t *testing.T) {
	target, err := redisurl.Parse("rediss://watcher:spw@s1:26379/2?master_name=main&addr=s2:26379&addr=s3:26380&username=gateway&password=redis-password")
	if err != nil {
		t.Fatal(err)
	}
	o := target.Sentinel
	if target.Single != nil || o.MasterName != "main" || !slices.Equal(o.SentinelAddrs, []string{"s1:26379", "s2:26379", "s3:26380"}) {
		t.Errorf("got %+v", o)
	}
	if o.SentinelUsername != "watcher" || o.SentinelPassword != "spw" || o.Username != "gateway" || o.Password != "redis-password" || o.DB != 2 {
		t.Errorf("got %+v", o)
	}
	if !target.TLS() || o.TLSConfig.ServerName != "" {
		t.Errorf("TLS: %+v", o.TLSConfig)
	}
	if want := "main of the Sentinels s1:26379, s2:26379, s3:26380"; target.String() != want {
		t.Errorf("got %q", target)
	}
}

func TestRefused(t *testing.T) {
	const malformed, cluster, scheme = "is not a valid URL", "is that of a Redis Cluster, which is not supported", "must start with redis://"
	for url, want := range map[string]string{
		"":                                                             scheme,
		"localhost:6379":                                               malformed,
		"http://:sesame-open@localhost":                                scheme,
		"REDIS:sesame-open":                                            malformed,
		"redis://:sesame/open@localhost":                               malformed,
		"redis://user:1sesame/open@localhost":                          malformed,
		"redis://user:123/sesame@localhost":                            malformed,
		"redis://user:123?sesame@localhost":                            malformed,
		"redis://user:123#sesame@localhost":                            malformed,
		"redis://user:sesame%zz@localhost":                             malformed,
		"redis://:sesame-open@h1:1,h2:2":                               cluster,
		"redis://:sesame-open@h1?addr=h2:6379":                         cluster,
		"rediss://h1:1?addr=h2:2&addr=h3:3":                            cluster,
		"redis+cluster://:sesame-open@h1":                              cluster,
		"rediss-cluster://:sesame-open@h1":                             cluster,
		"redis://:sesame-open@h1/x":                                    `invalid database number: "x"`,
		"redis://:sesame-open@h1/1/2":                                  "invalid URL path: /1/2",
		"redis://:sesame-open@h1?poolsize=5":                           "unexpected option: poolsize",
		"redis://:sesame-open@h1?pool_size=x":                          "invalid pool_size number",
		"redis://h1?password=sesame-open":                              "unexpected option: password",
		"unix://:sesame-open@":                                         "empty unix socket path",
		"redis://h1?master_name=":                                      "needs a name in the parameter master_name",
		"unix:///run/s.sock?master_name=main":                          "invalid URL scheme: unix",
		"redis://h1?master_name=m&password=sesame-open&db=sesame-open": "invalid database number",
		"redis://h1?master_name=m&addr=h2":                             "unable to parse addr param: h2",
		"redis://h1?read_timeout=5s":                                   "has the parameter read_timeout, which the gateway sets itself",
		"redis://h1?max_retries=3":                                     "has the parameter max_retries",
		"redis://h1?master_name=m&replica_only=true":                   "has the parameter replica_only",
		"redis://h1?master_name=m&route_by_latency=true":               "has the parameter route_by_latency",
	} {
		_, err := redisurl.Parse(redact.Secret(url))
		if err == nil {
			t.Errorf("%s is accepted", url)
			continue
		}
		if text := err.Error(); !strings.Contains(text, want) || strings.Contains(text, "sesame") {
			t.Errorf("%s: got %q, want %q", url, text, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, url := range []string{
		"redis://:sesame-open@h1:1/0?pool_size=x", "rediss://u:sesame-open@h1?master_name=m&addr=h2:1", "unix://:sesame-open@/s?db=1", "redis://:sesame/open@h",
	} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, url string) {
		target, err := redisurl.Parse(redact.Secret(url))
		if err == nil && (target.Single == nil) == (target.Sentinel == nil) {
			t.Errorf("%q: got %+v", url, target)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%q: %q has more than one line", url, err)
		}
	})
}
