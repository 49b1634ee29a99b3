package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"github.com/audian/participant-gateway/test/bench/load/serve"
)

func (b *bench) pollScenario() *scenario {
	ticking, changing, small := serve.Conference(1000, 0), serve.Conference(1000, 10), serve.Conference(10, 0)
	return &scenario{name: "poll of participants", contenders: []*contender{
		b.gatewayPolls("1,000, durations change", none, ticking),
		b.gatewayPolls("1,000, 10 change", none, changing),
		b.gatewayPolls("10, durations change", difference, small),
		b.referencePolls("fetch 1,000", "fetch", ticking),
		b.referencePolls("fetch 10", "fetch", small),
		b.referencePolls("fetch, encoding/json, map diff of 1,000", "fetch-decode-diff", changing),
	}}
}

// gatewayPolls measures the polls of a conference that has one watcher.
func (b *bench) gatewayPolls(name string, c comparison, conference string) *contender {
	return &contender{name: name, comparison: c, measure: func(ctx context.Context) (figures, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		g, err := startGateway(ctx, b.gateway, b.upstream, b.polls)
		if err != nil {
			return figures{}, err
		}
		defer g.stop()
		var watcher counters
		request := watchRequest(g.httpAddr, conference, eventStream, "")
		if err := textStreams(ctx, dialTo(g.httpAddr), 1, request, textMark, &watcher); err != nil {
			return figures{}, err
		}
		if err := watcher.waitForStreams(ctx, 1); err != nil {
			return figures{}, err
		}
		return b.measurePolls(ctx, g.process, conference)
	}}
}

func (b *bench) referencePolls(name, kind, conference string) *contender {
	return &contender{name: name, comparison: ratio, measure: func(ctx context.Context) (figures, error) {
		p, _, err := b.startServer(ctx, b.self, kind, "-conference", conference, "-rate", strconv.FormatFloat(b.polls, 'f', -1, 64))
		if err != nil {
			return figures{}, err
		}
		defer p.stop()
		return b.measurePolls(ctx, p, conference)
	}}
}

// measurePolls measures a poller by the lists that the upstream has served.
func (b *bench) measurePolls(ctx context.Context, p *process, conference string) (figures, error) {
	if err := pause(ctx, b.warmUp); err != nil {
		return figures{}, err
	}
	return b.measure(ctx, p, func() (lists, size int64, err error) {
		lists, err = b.served(ctx, conference)
		return lists, 0, err
	})
}

// served returns how many lists of a conference the upstream has served.
func (b *bench) served(ctx context.Context, conference string) (int64, error) {
	var text bytes.Buffer
	if _, err := get(ctx, b.upstream+"/served/"+conference, &text); err != nil {
		return 0, err
	}
	lists, err := strconv.ParseInt(text.String(), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the number of lists: %w", err)
	}
	return lists, nil
}
