package redisconn_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/certs/certstest"
	"github.com/audian/participant-gateway/internal/replica/redisconn"
	"github.com/audian/participant-gateway/internal/replica/redistest"
)

// refused checks that Redis cannot be used, with a reason.
func refused(t *testing.T, c *redisconn.Conn, reason string) {
	t.Helper()
	eventually(t, long, "unavailable", func() bool { return !c.Available() })
	if err := c.Err(); !strings.Contains(err.Error(), reason) || strings.ContainsAny(err.Error(), "\r\n") {
		t.Errorf("got %v, want %q", err, reason)
	}
}

func TestServersThatCannotBeUsed(t *testing.T) {
	plain := redistest.Start(t, redistest.Options{})
	old := redistest.NewProxy(t, plain.Addr())
	old.Replace("redis_version:7", "redis_version:6")
	cluster := redistest.Start(t, redistest.Options{Config: []string{"cluster-enabled yes"}})
	replica := redistest.Start(t, redistest.Options{})
	replica.ReplicaOf(plain)
	renamed := redistest.Start(t, redistest.Options{Config: []string{`rename-command XADD ""`, `rename-command ZADD ""`}})
	noScripts := redistest.Start(t, redistest.Options{Config: []string{`rename-command EVALSHA ""`}})
	for name, test := range map[string]struct{ url, reason string }{
		"old":        {plain.URLAt(old.Addr()), "is Redis 6.0.15: the gateway needs Redis 7 or newer, or Valkey"},
		"cluster":    {cluster.URL(), "is a node of Redis Cluster, which is not supported"},
		"replica":    {replica.URL(), "is a read-only replica of another Redis"},
		"renamed":    {renamed.URL(), "refuses the commands XADD, ZADD: ERR Unknown Redis command"},
		"no scripts": {noScripts.URL(), "refuses a command: ERR unknown command 'evalsha'"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, open(t, test.url), test.reason) })
	}
}

// withACL starts a server with a user that has the documented rules, after a change.
func withACL(t *testing.T, change func(rules []string) []string) (url string) {
	t.Helper()
	rules := change(redisconn.ACL(prefix))
	s := redistest.Start(t, redistest.Options{ACL: []string{"user gateway on >pw " + strings.Join(rules, " ")}})
	return "redis://gateway:pw@" + s.Addr()
}

func TestTheACLIsEnough(t *testing.T) {
	c := open(t, withACL(t, slices.Clone[[]string]))
	if !c.Available() {
		t.Fatal(c.Err())
	}
	got := make(chan string, 10)
	cancel := c.Subscribe(c.Key("c"), func() { got <- "established" }, func(p []byte) { got <- string(p) })
	defer cancel()
	await(t, got, "established")
	if _, err := c.Run(t.Context(), redisconn.NewScript("publish", `return redis.call('PUBLISH', KEYS[1], 'm')`), []string{c.Key("c")}); err != nil {
		t.Error(err)
	}
	await(t, got, "m")
}

func TestTheACLIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	if rules := strings.Join(redisconn.ACL("pgw:"), " "); !strings.Contains(strings.Join(strings.Fields(string(page)), " "), " "+rules+" ") {
		t.Errorf("docs/operations.md does not have the rules %s", rules)
	}
}

func TestEachRuleOfTheACLIsNeeded(t *testing.T) {
	without := func(rule string) func([]string) []string {
		return func(rules []string) []string {
			return slices.DeleteFunc(rules, func(r string) bool { return r == rule })
		}
	}
	for _, rule := range redisconn.ACL(prefix) {
		command, isCommand := strings.CutPrefix(rule, "+")
		switch {
		case slices.Contains([]string{"eval", "unsubscribe", "ping", "select"}, command):
			// EVAL follows an EVALSHA, and the others are noticed when they are used.
		case isCommand:
			t.Run(command, func(t *testing.T) {
				c := open(t, withACL(t, without(rule)))
				refused(t, c, "refuses")
				if text := strings.ToLower(c.Err().Error()); !strings.Contains(text, command) {
					t.Errorf("%q does not name %s", text, command)
				}
			})
		case strings.HasPrefix(rule, "~"), strings.HasPrefix(rule, "&"):
			t.Run(rule, func(t *testing.T) { refused(t, open(t, withACL(t, without(rule))), "refuses") })
		}
	}
}

func TestAMendedACLIsNoticed(t *testing.T) {
	s := redistest.Start(t, redistest.Options{ACL: []string{"user gateway on >pw " + strings.Join(redisconn.ACL("other:"), " ")}})
	c := open(t, "redis://gateway:pw@"+s.Addr())
	refused(t, c, "NOPERM")
	s.Do("ACL", "SETUSER", "gateway", "~"+prefix+"*", "&"+prefix+"*")
	eventually(t, long, "available", c.Available)
}

// TestR08_ARefusalIsNoticed has Redis refuse what it allowed before: without memory, and without a right.
func TestR08_ARefusalIsNoticed(t *testing.T) {
	set := redisconn.NewScript("set", `return redis.call('HSET', KEYS[1], 'f', 'v')`)
	for name, test := range map[string]struct{ refuse, allow []any }{
		"no memory": {[]any{"CONFIG", "SET", "maxmemory", "1"}, []any{"CONFIG", "SET", "maxmemory", "0"}},
		"no right":  {[]any{"ACL", "SETUSER", "default", "-hset"}, []any{"ACL", "SETUSER", "default", "+hset"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := redistest.Start(t, redistest.Options{})
			c := open(t, s.URL())
			s.Do(test.refuse...)
			if _, err := c.Run(t.Context(), set, []string{c.Key("k")}); err == nil {
				t.Error("the call succeeded")
			}
			refused(t, c, "refuses the commands")
			s.Do(test.allow...)
			eventually(t, long, "available", c.Available)
			if _, err := c.Run(t.Context(), set, []string{c.Key("k")}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	authority, other := certstest.NewAuthority(t), certstest.NewAuthority(t)
	pair := authority.Server("redis")
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	port := freePort(t)
	redistest.Start(t, redistest.Options{Config: []string{
		fmt.Sprintf("tls-port %d", port), "tls-auth-clients no", "tls-ca-cert-file " + file("ca", authority.PEM()),
		"tls-cert-file " + file("cert", pair.CertPEM()), "tls-key-file " + file("key", pair.KeyPEM()),
	}})
	url := fmt.Sprintf("rediss://127.0.0.1:%d", port)
	c := open(t, url, func(o *redisconn.Options) { o.RootCAs = authority.Pool() })
	if !c.Available() {
		t.Error(c.Err())
	}
	refused(t, open(t, url, func(o *redisconn.Options) { o.RootCAs = other.Pool() }), "certificate")
	refused(t, open(t, fmt.Sprintf("redis://127.0.0.1:%d", port)), "")
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "redis.sock")
	redistest.Start(t, redistest.Options{Config: []string{"unixsocket " + path}})
	if c := open(t, "unix://"+path); !c.Available() {
		t.Error(c.Err())
	}
}

// await waits for a text on a channel.
func await(t *testing.T, got <-chan string, want string) {
	t.Helper()
	select {
	case text := <-got:
		if text != want {
			t.Fatalf("got %q, want %q", text, want)
		}
	case <-time.After(long):
		t.Fatalf("no %q", want)
	}
}
