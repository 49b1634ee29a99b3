package replicas_test

import (
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The benchmarks measure the figures of docs/scaling.md. Each runs once:
//
//	go test ./test/replicas -run '^$' -bench . -benchtime 1x -timeout 30m

// BenchmarkPolls counts the lists of ten conferences that are watched at every replica.
func BenchmarkPolls(b *testing.B) {
	for _, replicas := range []int{1, 3, 10} {
		b.Run(fmt.Sprintf("replicas=%d", replicas), func(b *testing.B) {
			conferences := conferenceNames(10)
			c := start(b, replicas, options{simulator: still})
			c.watchEach(conferences, c.replicas...)
			for b.Loop() {
				began := time.Now()
				<-time.After(10 * time.Second)
				lists := 0
				for _, conference := range conferences {
					lists += len(c.upstream.lists(conference, began))
				}
				b.ReportMetric(float64(lists)/time.Since(began).Seconds()/float64(len(conferences)), "lists/s/conference")
			}
		})
	}
}

// BenchmarkTakeover measures from the failure of the replica that polls to the next list.
func BenchmarkTakeover(b *testing.B) {
	for name, fail := range map[string]func(*replica){
		"killed": func(r *replica) { r.kill() }, "stopped": func(r *replica) { r.stop() },
		"cut off": func(r *replica) { r.network.Cut() }, "told to stop": func(r *replica) { r.terminate() },
	} {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				for range 10 {
					took = append(took, takeover(b, fail))
				}
			}
			report(b, took)
		})
	}
}

// takeover returns how long after a failure another replica polls.
func takeover(b *testing.B, fail func(*replica)) time.Duration {
	b.Helper()
	const conference = "conf_takeover"
	c := start(b, 2, options{simulator: still})
	watchers := c.watchEach([]string{conference}, c.replicas...)
	<-time.After(time.Duration(time.Now().UnixNano()%1000) * time.Millisecond) // Anywhere in an interval and a lease.
	poller := c.replicas[c.upstream.poller(conference)]
	failed := time.Now()
	fail(poller)
	next := c.nextList(conference, poller.number, failed)
	for _, w := range watchers {
		w.close()
	}
	for _, r := range c.replicas {
		r.kill()
	}
	return next.began.Sub(failed)
}

// BenchmarkDelivery measures how much later a watcher at another replica has a change than one at
// the replica that polls, and how long after a write at another replica watchers have it.
func BenchmarkDelivery(b *testing.B) {
	const conference, changes = "conf_delivery", 500
	c := start(b, 3, options{simulator: still, flags: []string{"--poll-interval=100ms", "--max-poll-interval=100ms"}})
	watchers := c.watchEach([]string{conference}, c.replicas...)
	b.Run("change found by a poll", func(b *testing.B) {
		var late []time.Duration
		for b.Loop() {
			poller := c.upstream.poller(conference)
			for n := range changes {
				id := c.upstream.join(conference, n)
				for _, w := range watchers {
					w.await("has the change", func() bool { return w.holds(id) })
				}
				first := watchers[poller].when(id)
				for i, w := range watchers {
					if i != poller {
						late = append(late, w.when(id).Sub(first))
					}
				}
			}
		}
		report(b, late)
	})
}

// when returns when the watcher received the first change of a participant.
func (w *watcher) when(id string) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.received {
		if m.Changes == nil {
			continue
		}
		for _, change := range m.Changes.Changes {
			if change.Member.ID == id {
				return m.at
			}
		}
	}
	return time.Time{}
}

// report reports the distribution of times.
func report(b *testing.B, times []time.Duration) {
	b.Helper()
	slices.Sort(times)
	for name, share := range map[string]float64{"p50-ms": 0.5, "p99-ms": 0.99, "max-ms": 1} {
		at := min(int(math.Ceil(share*float64(len(times)))), len(times)) - 1
		b.ReportMetric(float64(times[at].Microseconds())/1000, name)
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkCost measures what one more conference costs each second, with a list a second and a watcher at
// each of three replicas: Redis' processor time, commands and bytes, and the gateways' processor time.
func BenchmarkCost(b *testing.B) {
	const more = 60
	for name, changes := range map[string]bool{"idle": false, "a change each second": true} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				one, many := usage(b, 1, changes), usage(b, 1+more, changes)
				for name := range many {
					b.ReportMetric((many[name]-one[name])/more, name)
				}
				b.ReportMetric(one["redis-cpu-us"], "redis-cpu-us-without-conferences")
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

// usage returns what some conferences of 20 participants cost each second.
func usage(b *testing.B, number int, changes bool) map[string]float64 {
	b.Helper()
	const seconds = 10
	conferences := conferenceNames(number)
	c := start(b, 3, options{simulator: still, flags: []string{"--poll-rate=1000", "--poll-interval=1s", "--max-poll-interval=1s"}})
	for _, conference := range conferences {
		for n := range 20 {
			c.upstream.join(conference, n)
		}
	}
	c.watchEach(conferences, c.replicas...)
	before, began := c.counters(), time.Now()
	c.change(conferences, seconds, changes)
	after, took := c.counters(), time.Since(began).Seconds()
	for name := range after {
		after[name] = (after[name] - before[name]) / took
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.watchers {
		w.close()
	}
	for _, r := range c.replicas {
		r.kill()
	}
	return after
}

// change makes a change in each conference each second, if it is told to.
func (c *cluster) change(conferences []string, seconds int, changes bool) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for n := range seconds {
		<-ticker.C
		for _, conference := range conferences {
			if changes {
				c.upstream.SetStatus(conference, "visitor_1", []string{"held", "connected"}[n%2])
			}
		}
	}
}

// counters returns counters of Redis and of the gateways.
func (c *cluster) counters() map[string]float64 {
	info, _ := c.redis.Do("INFO", "everything").(string)
	value := func(name string) float64 {
		_, rest, _ := strings.Cut(info, "\n"+name+":")
		text, _, _ := strings.Cut(rest, "\r")
		number, _ := strconv.ParseFloat(text, 64)
		return number
	}
	counters := map[string]float64{
		"redis-cpu-us":    1e6 * (value("used_cpu_user") + value("used_cpu_sys")),
		"redis-bytes-in":  value("total_net_input_bytes"),
		"redis-bytes-out": value("total_net_output_bytes"),
	}
	for _, n := range c.calls() {
		counters["redis-calls"] += n
	}
	for _, r := range c.replicas {
		counters["gateway-cpu-us"] += 1e6 * r.metric("process_cpu_seconds_total")
	}
	return counters
}

// BenchmarkMemory measures the bytes in Redis for a conference, a participant and a change that is kept.
func BenchmarkMemory(b *testing.B) {
	const empty, conference, participants, changes = "conf_empty", "conf_memory", 500, 500
	for b.Loop() {
		c := start(b, 1, options{simulator: still, flags: []string{"--poll-interval=100ms", "--max-poll-interval=100ms"}})
		for n := range participants {
			c.upstream.join(conference, n)
		}
		c.watch(c.replicas[0], empty)
		w := c.watch(c.replicas[0], conference)
		c.converge()
		before := c.memory(conference)
		for n := range changes {
			at := w.state().token
			c.upstream.SetStatus(conference, "visitor_1", []string{"held", "connected"}[n%2])
			w.await("has the change", func() bool { return w.state().token != at })
		}
		b.ReportMetric(c.memory(empty), "redis-bytes/conference")
		b.ReportMetric((before-c.memory(empty))/participants, "redis-bytes/participant")
		b.ReportMetric((c.memory(conference)-before)/changes, "redis-bytes/change")
		b.ReportMetric(0, "ns/op")
	}
}

// memory returns the bytes of the keys of a conference's log.
func (c *cluster) memory(conference string) (bytes float64) {
	for _, key := range c.keys(redisPrefix + "log1:*:" + base64.RawURLEncoding.EncodeToString([]byte(conference)) + ":*") {
		n, _ := c.redis.Do("MEMORY", "USAGE", key, "SAMPLES", "0").(int64)
		bytes += float64(n)
	}
	return bytes
}
