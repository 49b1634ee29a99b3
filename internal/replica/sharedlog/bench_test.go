package sharedlog_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/redact"
	"github.com/audian/participant-gateway/internal/replica/redisconn"
	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/replica/sharedlog"
)

// BenchmarkLog measures the calls of a conference with 200 participants of 300 bytes.
func BenchmarkLog(b *testing.B) {
	server := redistest.Start(b, redistest.Options{})
	conn, err := redisconn.Open(b.Context(), redisconn.Options{
		URL: redact.Secret(server.URL()), Prefix: "pgw:", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	logs := sharedlog.New(sharedlog.Options{Conn: conn, Replica: "a", Upstream: "u1", Logger: slog.New(slog.DiscardHandler)})
	log := logs.Open(conference)
	member := []byte(strings.Repeat("x", 300))
	base := sharedlog.Batch{ID: logs.NewID(), Answered: conn.Now(), Base: true, Members: map[string][]byte{}}
	for i := range 200 {
		base.Members[fmt.Sprint("participant", i)] = member
	}
	result, err := log.Append(b.Context(), base)
	if err != nil {
		b.Fatal(err)
	}
	head := result.Head
	appendOne := func(batch sharedlog.Batch) {
		batch.ID, batch.Expected, batch.Answered = logs.NewID(), head, conn.Now()
		result, err := log.Append(b.Context(), batch)
		if err != nil || result.Outcome != sharedlog.Appended {
			b.Fatal(result, err)
		}
		head = result.Head
	}
	change := sharedlog.Batch{Entry: member, Changes: 1, Members: map[string][]byte{"participant1": member}}
	run := func(name string, call func()) {
		b.Run(name, func(b *testing.B) {
			server.Do("CONFIG", "RESETSTAT")
			for b.Loop() {
				call()
			}
			b.ReportMetric(busy(b, server), "redis-µs/op")
			b.ReportMetric(used(b, server)/1024, "KiB/log")
		})
	}
	run("change", func() {
		change.Floor = max(head.Seq, 4096) - 4096
		appendOne(change)
	})
	run("unchanged", func() { appendOne(sharedlog.Batch{Marks: member, Status: member}) })
	run("tick", func() {
		if _, err := log.Tick(b.Context(), 0); err != nil {
			b.Fatal(err)
		}
	})
	run("load", func() {
		if _, err := log.Load(b.Context(), sharedlog.Head{}); err != nil {
			b.Fatal(err)
		}
	})
}

// busy returns how long Redis worked on each script, in microseconds.
func busy(b *testing.B, server *redistest.Server) (average float64) {
	b.Helper()
	_, rest, _ := strings.Cut(server.Client().Info(b.Context(), "commandstats").Val(), "cmdstat_evalsha:")
	_, rest, _ = strings.Cut(rest, "usec_per_call=")
	if _, err := fmt.Sscanf(rest, "%f", &average); err != nil {
		b.Fatal(err)
	}
	return average
}

// used returns the bytes that Redis needs for the log.
func used(b *testing.B, server *redistest.Server) float64 {
	b.Helper()
	bytes := int64(0)
	for _, part := range []string{"head", "members", "entries", "clock"} {
		bytes += server.Client().MemoryUsage(b.Context(), key+part, 0).Val()
	}
	return float64(bytes)
}
