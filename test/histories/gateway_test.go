package histories_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/answer"
	"github.com/audian/participant-gateway/internal/batch"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/policy"
	"github.com/audian/participant-gateway/internal/service"
	"github.com/audian/participant-gateway/internal/upstream"
	"github.com/audian/participant-gateway/internal/upstream/audian"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/write"
)

// gateway is the engine without its gRPC and HTTP ports, connected as in package server.
type gateway struct {
	*service.Service

	// conference is empty for the main conference.
	conference string

	hub    *feed.Hub
	writer *write.Writer
	// draining ends the batches.
	draining chan struct{}
}

func newGateway(h history, transport http.RoundTripper, observer feed.Observer) (*gateway, error) {
	quiet := slog.New(slog.DiscardHandler)
	registry, err := upstream.NewRegistry(audian.StaticToken("token"), upstream.Options{
		BaseURL: &url.URL{Scheme: "http", Host: "upstream", Path: "/v2"}, Transport: transport, Logger: quiet,
	})
	if err != nil {
		return nil, fmt.Errorf("open the account: %w", err)
	}
	longest := 5 * time.Second
	if h.Neighbours > 0 {
		longest = 12 * time.Second // Others fail for more than 5 s between two lists of a quiet conference.
	}
	hub := feed.NewHub(feed.Options{
		PollInterval: time.Second, MaxPollInterval: longest, Linger: h.Linger, History: h.HistoryLimit,
		Observer: observer, Logger: quiet,
	})
	writer := write.New(write.Options{Recorder: recorder{hub}, Logger: quiet})
	draining := make(chan struct{})
	answering := service.New(service.Options{
		Accounts: accounts{registry}, Writer: writer, Watcher: watch.NewWatcher(hub, watch.Limits{}), Feeds: hub, Answers: answer.New(hub, nil),
		Batches: batch.New(batch.Options{Adder: writer, Interval: upstream.AddInterval, Draining: draining, Logger: quiet}), Policy: policy.New(policy.Options{}),
	})
	return &gateway{Service: answering, hub: hub, writer: writer, draining: draining}, nil
}

// state returns the state of the conference's feed, nil if there is no feed.
func (g *gateway) state() (state *feed.State) {
	g.hub.Each(func(key participant.Key, held *feed.State) {
		if key.Conference == cmp.Or(g.conference, conference) {
			state = held
		}
	})
	return state
}

func (g *gateway) close() {
	close(g.draining)
	g.writer.Close()
	g.hub.Close()
}

// Like package server, this connects packages feed and write with upstream.
type accounts struct{ registry *upstream.Registry }

func (a accounts) For(access.Caller) (service.Account, error) {
	return ownAccount{a.registry.Own()}, nil
}

type ownAccount struct{ *upstream.Account }

func (a ownAccount) OpenSource(ctx context.Context, conference string) feed.Source {
	return source{a.Account.OpenSource(ctx, conference)}
}

type source struct{ *upstream.Source }

func (s source) Pace(want, takes time.Duration) feed.Pace {
	return feed.Pace(s.Source.Pace(want, takes))
}

func (a ownAccount) Reserve(ctx context.Context, conference, place string) (write.Slot, error) {
	slot, err := a.Account.Reserve(ctx, conference, place)
	if err != nil {
		return nil, err
	}
	return slot, nil
}

type recorder struct{ hub *feed.Hub }

func (r recorder) Begin(ctx context.Context, key participant.Key) write.Record {
	return r.hub.Begin(ctx, key)
}

func (r recorder) BeginControl(ctx context.Context, key participant.Key) write.ControlRecord {
	return r.hub.BeginControl(ctx, key)
}

func (r recorder) BringForward(ctx context.Context, key participant.Key) {
	r.hub.BringForward(ctx, key)
}
