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
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
	"github.com/audian/participant-gateway/internal/upstream/audian"
	"github.com/audian/participant-gateway/internal/watch"
)

// polled is a conference of which each list differs from the one before in all durations, and in
// the status of some participants.
type polled struct{ participants, changed int }

var polledConferences = []polled{{10, 0}, {size, 0}, {size, 10}}

func (p polled) String() string {
	return fmt.Sprintf("participants=%d/changed=%d", p.participants, p.changed)
}

// lists returns an upstream that alternates between two lists.
func (p polled) lists() *alternating { return &alternating{bodies: [2][]byte{p.body(0), p.body(1)}} }

func (p polled) body(generation int) []byte {
	var body bytes.Buffer
	body.WriteString(`{"participants":[`)
	for i := range p.participants {
		if i > 0 {
			body.WriteByte(',')
		}
		status := "connected"
		if i < p.changed && generation == 1 {
			status = "held"
		}
		fmt.Fprintf(&body, `{"id":"part_%06d","conference_id":"conf_bench","phone_number":"+1202555%04d",`+
			`"name":"Participant %d","role":"listener","status":%q,"muted":false,"duration":%d,`+
			`"joined_at":"2026-02-04T11:15:30Z"}`, i, i, i, status, 245+generation)
	}
	fmt.Fprintf(&body, `],"total":%d,"active":%d}`, p.participants, p.participants)
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
	body := a.body()
	return &http.Response{
		StatusCode:    http.StatusOK,
		Header:        http.Header{"Content-Type": {"application/json"}},
		ContentLength: int64(len(body)),
		Body:          io.NopCloser(bytes.NewReader(body)),
	}, nil
}

func (a *alternating) lister(b *testing.B) *audian.Lister {
	b.Helper()
	client, err := audian.New(audian.Options{
		BaseURL: &url.URL{Scheme: "http", Host: "upstream", Path: "/v2"}, Credential: audian.StaticToken("token"),
		Transport: a, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	return client.NewLister("conf_bench")
}

// BenchmarkPoll decodes lists and computes the changes.
func BenchmarkPoll(b *testing.B) {
	for _, conference := range polledConferences {
		b.Run(conference.String(), func(b *testing.B) {
			b.Run("way=gateway", func(b *testing.B) { gatewayPolls(b, conference) })
			b.Run("way=plain", func(b *testing.B) {
				upstream := conference.lists()
				held := map[string]plainParticipant{}
				b.ReportAllocs()
				for b.Loop() {
					plainPoll(b, bytes.NewReader(upstream.body()), held)
				}
			})
		})
	}
}

func gatewayPolls(b *testing.B, conference polled) {
	b.Helper()
	lister := conference.lists().lister(b)
	held := roster.New("conf_bench")
	var stamp roster.LogicalTime
	b.ReportAllocs()
	for b.Loop() {
		list, err := lister.List(b.Context(), audian.Pacing{})
		if err != nil {
			b.Fatal(err)
		}
		stamp += 2
		held.Apply(held.PlanPoll(roster.Poll{List: list, Began: stamp - 1, Applied: stamp}))
	}
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

// BenchmarkPolledFeed measures polls of a whole feed with one subscriber: each list is decoded,
// committed to the log and published.
func BenchmarkPolledFeed(b *testing.B) {
	for _, conference := range polledConferences {
		b.Run(conference.String(), func(b *testing.B) {
			source := &steppedSource{lister: conference.lists().lister(b), waits: make(chan struct{}), turns: make(chan struct{})}
			hub := feed.NewHub(feed.Options{
				PollInterval: time.Nanosecond, MaxPollInterval: time.Nanosecond, History: 4096, Logger: slog.New(slog.DiscardHandler),
			})
			defer hub.Close()
			subscription, err := watch.NewWatcher(hub, watch.Limits{}).Subscribe(b.Context(), watch.Request{
				Account: source, Conference: "conf_bench", Heartbeat: time.Minute,
			})
			if err != nil {
				b.Fatal(err)
			}
			ctx, stop := context.WithCancel(b.Context())
			received := make(chan struct{})
			go func() {
				defer close(received)
				defer subscription.Close()
				for err := error(nil); err == nil; {
					_, err = subscription.Next(ctx)
				}
			}()
			<-source.waits
			b.ReportAllocs()
			for b.Loop() {
				source.turns <- struct{}{}
				<-source.waits
			}
			stop()
			<-received
		})
	}
}

// steppedSource is the account and the source of one feed. A list begins with a value in turns;
// one in waits says that the list before has been published.
type steppedSource struct {
	lister       *audian.Lister
	waits, turns chan struct{}
}

func (s *steppedSource) Fingerprint() participant.Fingerprint { return participant.Fingerprint{1} }

func (s *steppedSource) OpenSource(context.Context, string) feed.Source { return s }

func (s *steppedSource) Wait(ctx context.Context, _ bool) error {
	select {
	case s.waits <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-s.turns:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *steppedSource) WaitEarly(ctx context.Context, due time.Time, stop <-chan struct{}) bool {
	select {
	case <-time.After(time.Until(due)):
	case <-stop:
	case <-ctx.Done():
	}
	return false
}

func (s *steppedSource) List(ctx context.Context) (participant.List, error) {
	return s.lister.List(ctx, audian.Pacing{})
}

func (s *steppedSource) RecordOutcome(error) {}

func (s *steppedSource) Pace(want, _ time.Duration) feed.Pace {
	return feed.Pace{Share: want, Interval: time.Second}
}

func (s *steppedSource) Probe() bool { return false }
