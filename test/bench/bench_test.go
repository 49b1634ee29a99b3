// Package bench measures the costs of polling and watching a conference against simple
// baselines. `make bench-micro` prints the ratios, which are comparable between machines.
package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
	"github.com/audian/participant-gateway/internal/upstream/audian"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

// size is the number of participants of a full conference, and of subscribers.
const size = 1000

// listBody is the body of a list; odd generations differ in ten participants.
func listBody(generation int) []byte {
	var body bytes.Buffer
	body.WriteString(`{"participants":[`)
	for i := range size {
		if i > 0 {
			body.WriteByte(',')
		}
		status := "connected"
		if i < 10 && generation%2 == 1 {
			status = "held"
		}
		fmt.Fprintf(&body, `{"id":"part_%06d","conference_id":"conf_bench","phone_number":"+1202555%04d",`+
			`"name":"Participant %d","role":"listener","status":%q,"muted":false,"duration":%d,`+
			`"joined_at":"2026-02-04T11:15:30Z"}`, i, i, i, status, 245+generation)
	}
	fmt.Fprintf(&body, `],"total":%d,"active":%d}`, size, size)
	return body.Bytes()
}

// alternating is an upstream that alternates between two lists.
type alternating struct {
	bodies [2][]byte
	next   int
}

func (a *alternating) body() []byte {
	a.next++
	return a.bodies[a.next%2]
}

func (a *alternating) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(bytes.NewReader(a.body())),
	}, nil
}

// BenchmarkPoll decodes a full conference and computes the changes.
func BenchmarkPoll(b *testing.B) {
	bodies := [2][]byte{listBody(0), listBody(1)}
	b.Run("way=gateway", func(b *testing.B) {
		client, err := audian.New(audian.Options{
			BaseURL: &url.URL{Scheme: "http", Host: "upstream", Path: "/v2"}, Credential: audian.StaticToken("token"),
			Transport: &alternating{bodies: bodies}, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			b.Fatal(err)
		}
		held := roster.New("conf_bench")
		var stamp roster.LogicalTime
		b.ReportAllocs()
		for b.Loop() {
			list, err := client.List(b.Context(), "conf_bench", audian.Pacing{})
			if err != nil {
				b.Fatal(err)
			}
			stamp += 2
			held.Apply(held.PlanPoll(roster.Poll{List: list, Began: stamp - 1, Applied: stamp}))
		}
	})
	b.Run("way=plain", func(b *testing.B) {
		upstream := &alternating{bodies: bodies}
		held := map[string]plainParticipant{}
		b.ReportAllocs()
		for b.Loop() {
			plainPoll(b, bytes.NewReader(upstream.body()), held)
		}
	})
}

// plainParticipant is a participant as the baseline decodes it.
type plainParticipant struct {
	ID          string     `json:"id"`
	PhoneNumber string     `json:"phone_number"`
	Name        string     `json:"name"`
	Role        string     `json:"role"`
	Status      string     `json:"status"`
	Muted       bool       `json:"muted"`
	Duration    int        `json:"duration"`
	JoinedAt    *time.Time `json:"joined_at"`
}

// plainPoll is the baseline: it decodes a list and compares it with a map of the last one.
func plainPoll(b *testing.B, body io.Reader, held map[string]plainParticipant) (changed int) {
	b.Helper()
	var list struct {
		Participants []plainParticipant `json:"participants"`
	}
	if err := json.NewDecoder(body).Decode(&list); err != nil {
		b.Fatal(err)
	}
	listed := make(map[string]bool, len(list.Participants))
	for _, p := range list.Participants {
		listed[p.ID] = true
		known, found := held[p.ID]
		if !found || known.Status != p.Status || known.Muted != p.Muted || known.Role != p.Role || known.Name != p.Name {
			changed++
		}
		held[p.ID] = p
	}
	for id := range held {
		if !listed[id] {
			delete(held, id)
			changed++
		}
	}
	return changed
}

// BenchmarkFanOut delivers one change to many subscribers as an encoded event.
func BenchmarkFanOut(b *testing.B) {
	b.Run("way=gateway", func(b *testing.B) {
		fanOut(b, func(m *watch.Message) error {
			_, err := wire.NewMessage(m).SSE()
			return err
		})
	})
	b.Run("way=plain", func(b *testing.B) {
		fanOut(b, func(m *watch.Message) error { // Each subscriber encodes the message again.
			copied := &watch.Message{Token: m.Token, Snapshot: m.Snapshot, Changes: m.Changes, Checkpoint: m.Checkpoint, End: m.End}
			_, err := wire.NewMessage(copied).SSE()
			return err
		})
	})
}

func fanOut(b *testing.B, deliver func(*watch.Message) error) {
	b.Helper()
	upstream := feedtest.New()
	hub := feed.NewHub(feed.Options{
		PollInterval: time.Hour, MaxPollInterval: time.Hour, History: 4096, Logger: slog.New(slog.DiscardHandler),
	})
	defer hub.Close()
	watcher := watch.NewWatcher(hub, watch.Limits{})
	var ready, received, done sync.WaitGroup
	ready.Add(size)
	ctx, stop := context.WithCancel(b.Context())
	for range size {
		subscription, err := watcher.Subscribe(b.Context(), watch.Request{Account: upstream, Conference: "conf_bench", Heartbeat: time.Hour})
		if err != nil {
			b.Fatal(err)
		}
		done.Go(func() {
			defer subscription.Close()
			for message, err := subscription.Next(ctx); err == nil; message, err = subscription.Next(ctx) {
				if err := deliver(message); err != nil {
					b.Error(err)
				}
				if message.Snapshot != nil {
					ready.Done()
					continue
				}
				received.Done()
			}
		})
	}
	ready.Wait()
	key := participant.Key{Credential: upstream.Fingerprint(), Conference: "conf_bench"}
	b.ReportAllocs()
	for generation := 0; b.Loop(); generation++ {
		received.Add(size)
		hub.Begin(b.Context(), key).Done(participant.Write{Kind: participant.WriteAdd, Item: participant.Item{
			Participant: participant.Participant{ID: "part_000001", Name: fmt.Sprint("Generation ", generation)},
			Fields:      participant.FieldName,
		}})
		received.Wait()
	}
	stop()
	done.Wait()
}

// BenchmarkSnapshot encodes a full conference as JSON.
func BenchmarkSnapshot(b *testing.B) {
	participants := make([]participant.Participant, size)
	for i := range participants {
		participants[i] = participant.Participant{
			ID: fmt.Sprintf("part_%06d", i), ConferenceID: "conf_bench", PhoneNumber: fmt.Sprintf("+1202555%04d", i),
			Name: fmt.Sprintf("Participant %d", i), Role: participant.RoleListener, Status: participant.StatusConnected,
			Duration: 245, JoinedAt: time.Unix(1770203730, 0),
		}
	}
	snapshot := func() *wire.Message {
		return wire.NewMessage(&watch.Message{Snapshot: &watch.Snapshot{Participants: participants, Total: size, Active: size}})
	}
	b.Run("way=gateway", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := snapshot().JSON(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("way=plain", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := protojson.Marshal(snapshot().Response()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
