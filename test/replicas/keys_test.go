package replicas_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/replica/redisconn"
	"github.com/audian/participant-gateway/internal/replica/redistest"
)

// use makes changes and calls of all kinds, so that all kinds of keys exist.
func (c *cluster) use(conference string) {
	c.t.Helper()
	c.churn(conference, 10)
	for n, r := range c.replicas {
		if _, err := r.add(conference, 50, "request-1"); err != nil {
			c.t.Errorf("add at replica %d: %v", n, err)
		}
	}
	c.converge()
}

// TestR09_EveryKeyExpires looks at all keys, while a conference is watched and afterwards.
func TestR09_EveryKeyExpires(t *testing.T) {
	t.Parallel()
	const conference = "conf_expires"
	c := start(t, 2, options{simulator: still, flags: []string{"--linger=1s", "--adds-per-day=1000"}})
	watchers := c.watchEach([]string{conference}, c.replicas...)
	c.use(conference)
	watched := c.lives()
	for key, life := range watched {
		most := 14 * time.Minute
		if strings.Contains(key, ":adds:day:") {
			most = 48 * time.Hour
		}
		if life <= 0 || life > most {
			t.Errorf("%s expires in %s", key, life)
		}
	}
	for _, w := range watchers {
		w.close()
	}
	var last []request
	eventually(t, "no more lists", func() bool {
		last = c.upstream.lists(conference, time.Time{})
		return time.Since(last[len(last)-1].began) > 3*interval
	})
	before := c.lives()
	<-time.After(2 * time.Second)
	for key, life := range c.lives() {
		kept := heartbeats.MatchString(key)
		if left := before[key] - life; !kept && left < time.Second {
			t.Errorf("the life of %s is still extended", key)
		}
	}
}

// heartbeats are keys of the replicas themselves.
var heartbeats = regexp.MustCompile(`:replicas|:leases$|:demand$`)

// lives returns how long each key lives.
func (c *cluster) lives() map[string]time.Duration {
	c.t.Helper()
	lives := map[string]time.Duration{}
	for _, key := range c.keys("*") {
		life, err := c.redis.Client().PTTL(c.context(), key).Result()
		if err != nil {
			c.t.Fatal(err)
		}
		if life != -2 { // It has just expired.
			lives[key] = life
		}
	}
	if len(lives) < 5 {
		c.t.Errorf("only the keys %v", lives)
	}
	return lives
}

// TestR09_AnIdlePollCostsThreeCommands counts the calls of a conference without changes.
func TestR09_AnIdlePollCostsThreeCommands(t *testing.T) {
	t.Parallel()
	const conference, polls = "conf_idle", 10
	c := start(t, 2, options{simulator: still})
	c.upstream.join(conference, 1)
	c.watchEach([]string{conference}, c.replicas...)
	began, before := time.Now(), c.calls()
	eventually(t, "polls", func() bool { return len(c.upstream.lists(conference, began)) >= polls })
	after, lists := c.calls(), len(c.upstream.lists(conference, began))
	calls := 0.0
	for name, n := range after {
		if !slices.Contains(notOfPolls, name) {
			calls += n - before[name]
		}
	}
	if calls > float64(3*(lists+1)) {
		t.Errorf("%v calls for %d lists: from %v to %v", calls, lists, before, after)
	}
}

// notOfPolls are calls that R9 does not count: leases, interest, heartbeats, and the connection's.
var notOfPolls = []string{
	"log_keep", "log_lead", "pace_demand", "log_release", "replica_beat", "replica_leave", "try_commands", "time", "ping", "info", "hello", "subscribe", "unsubscribe",
}

// calls returns the number of calls of Redis by all replicas, by name.
func (c *cluster) calls() map[string]float64 {
	c.t.Helper()
	calls := map[string]float64{}
	for _, r := range c.replicas {
		_, page := r.page("/metrics")
		for line := range strings.Lines(page) {
			var n float64
			_, labels, found := strings.Cut(line, `gateway_redis_call_duration_seconds_count{call="`)
			name, rest, _ := strings.Cut(labels, `"`)
			if !found {
				continue
			}
			if _, err := fmt.Sscan(rest[strings.LastIndex(rest, " ")+1:], &n); err != nil {
				c.t.Fatalf("%s: %v", line, err)
			}
			calls[name] += n
		}
	}
	return calls
}

// TestR10_NoSecretsInRedis reads everything that is sent to Redis, and everything that it keeps.
func TestR10_NoSecretsInRedis(t *testing.T) {
	t.Parallel()
	const conference, password = "conf_secrets", "secret-redis-password"
	c := start(t, 2, options{simulator: still, redis: redistest.Options{Password: password, Config: uncompressed}})
	sent := c.monitor(password)
	c.watchEach([]string{conference}, c.replicas...)
	c.use(conference)
	for _, r := range c.replicas {
		r.kill()
	}
	text := c.dump(sent())
	for _, secret := range []string{tokenOf(0), tokenOf(1), password} {
		expectNo(t, text, secret)
	}
}

// dump appends all keys and values to a text.
func (c *cluster) dump(text []byte) []byte {
	c.t.Helper()
	for _, key := range c.keys("*") {
		text = append(text, key+" "...)
		value, err := c.redis.Client().Dump(c.context(), key).Bytes()
		if err != nil {
			c.t.Fatal(err)
		}
		text = append(text, value...)
	}
	if !bytes.Contains(text, []byte("Caller 1")) {
		c.t.Fatal("not even a participant was found")
	}
	return text
}

// expectNo fails the test if a text has a secret, or a hash of it that needs no key.
func expectNo(t *testing.T, text []byte, secret string) {
	t.Helper()
	for form, found := range forms(secret) {
		if bytes.Contains(text, []byte(found)) {
			t.Errorf("Redis has %s of %s", form, secret)
		}
	}
}

// forms are a secret and hashes of it that need no key.
func forms(secret string) map[string]string {
	md, sha, sha2 := md5.Sum([]byte(secret)), sha1.Sum([]byte(secret)), sha256.Sum256([]byte(secret))
	all := map[string]string{"the text": secret}
	for name, sum := range map[string][]byte{"MD5": md[:], "SHA-1": sha[:], "SHA-256": sha2[:], "base64": []byte(secret)} {
		// Eight digits of a hash are enough to test a guess.
		all[name+" in hex"] = hex.EncodeToString(sum)[:16]
		all[name+" in base64"] = base64.StdEncoding.EncodeToString(sum)[:10]
		all[name+" in base64url"] = base64.RawURLEncoding.EncodeToString(sum)[:10]
	}
	return all
}

// monitor records all commands from now on, those of scripts included.
func (c *cluster) monitor(password string) (sent func() []byte) {
	c.t.Helper()
	auth := ""
	if password != "" {
		auth = "AUTH " + password + "\r\n"
	}
	conn, err := (&net.Dialer{}).DialContext(c.context(), "tcp", c.redis.Addr())
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "%sMONITOR\r\n", auth); err != nil {
		c.t.Fatal(err)
	}
	var text bytes.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = text.ReadFrom(conn)
	}()
	return func() []byte {
		_ = conn.Close()
		<-done
		return text.Bytes()
	}
}

// TestR11_WhatCannotBeReadBeginsANewEpoch damages each key of a log while it is in use.
func TestR11_WhatCannotBeReadBeginsANewEpoch(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(c *cluster, key string){
		"of another type": func(c *cluster, key string) {
			c.redis.Do("DEL", key)
			c.redis.Do("SETBIT", key, 7, 1)
		},
		"garbage": func(c *cluster, key string) {
			switch c.redis.Do("TYPE", key) {
			case "hash":
				fields, _ := c.redis.Do("HKEYS", key).([]any)
				command := []any{"HSET", key}
				for _, field := range fields {
					command = append(command, field, "\xff\x00garbage")
				}
				c.redis.Do(command...)
			case "stream":
				c.redis.Do("XADD", key, "*", "garbage", "\xff")
			default:
				c.redis.Do("SET", key, "garbage", "PX", 60000)
			}
		},
		"missing": func(c *cluster, key string) { c.redis.Do("DEL", key) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const conference = "conf_damaged"
			c := start(t, 2, options{simulator: still})
			watchers := c.watchEach([]string{conference}, c.replicas...)
			c.churn(conference, 10)
			for n, key := range c.keys(redisPrefix + "log1:*") {
				if strings.HasSuffix(key, ":leases") {
					continue
				}
				before := make([]int, len(watchers))
				for i, w := range watchers {
					before[i] = w.snapshots()
				}
				damage(c, key)
				c.upstream.join(conference, 100+n)
				began := time.Now()
				eventually(t, "lists go on after "+key, func() bool { return len(c.upstream.lists(conference, began)) > 3 })
				c.converge()
				for i, w := range watchers {
					if n := w.snapshots() - before[i]; n > 1 {
						t.Errorf("%s: %d snapshots after %s", w, n, key)
					}
				}
			}
			for _, w := range watchers {
				w.expired = w.snapshots() - 1
			}
		})
	}
}

const redisPrefix = "pgw:"

// TestR11_KeysOfOtherVersionsStay has keys of another version beside those of this one.
func TestR11_KeysOfOtherVersionsStay(t *testing.T) {
	t.Parallel()
	const conference = "conf_versions"
	c := start(t, 2, options{simulator: still})
	watchers := c.watchEach([]string{conference}, c.replicas...)
	others := map[string]string{}
	for _, key := range c.keys(redisPrefix + "log1:*") {
		other := strings.Replace(key, ":log1:", ":log2:", 1)
		others[other] = "another version's " + key
		c.redis.Do("SET", other, others[other])
	}
	if len(others) < 3 {
		t.Fatalf("only the keys %v", others)
	}
	c.churn(conference, 10)
	for key, want := range others {
		if got := c.redis.Do("GET", key); got != want {
			t.Errorf("%s is %v", key, got)
		}
	}
	resumes := watchers[0]
	resumes.close()
	resumes.expired = 1
	resumes.mu.Lock()
	resumes.token = "pgw2.another"
	resumes.mu.Unlock()
	resumes.open(c.replicas[1])
	c.converge()
}

// TestTheDocumentedRulesAreEnough runs replicas as the user that docs/operations.md describes.
func TestTheDocumentedRulesAreEnough(t *testing.T) {
	t.Parallel()
	const conference = "conf_acl"
	user := "user gateway on >secret-of-gateway " + strings.Join(redisconn.ACL(redisPrefix), " ")
	c := start(t, 2, options{
		simulator: still, redis: redistest.Options{ACL: []string{user}}, user: "gateway:secret-of-gateway",
	})
	c.watchEach([]string{conference}, c.replicas...)
	c.use(conference)
	denied, err := c.redis.Client().Do(t.Context(), "ACL", "LOG").Slice()
	if err != nil || len(denied) > 0 {
		t.Errorf("Redis refused: %v, %v", denied, err)
	}
}

// uncompressed makes DUMP return texts as they are.
var uncompressed = []string{"rdbcompression no"}
