package main

import (
	"context"
	"strconv"
	"time"

	"github.com/audian/participant-gateway/test/bench/load/serve"
)

// launcher starts a server with streams, and returns its address.
type launcher func(ctx context.Context) (p *process, addr string, err error)

// opener opens the subscribers of a server.
type opener func(ctx context.Context, addr string, c *counters) error

// eventConference is the conference of the streams: one of its ten participants changes with
// each list, so that the gateway sends as many events a second as it polls.
var eventConference = serve.Conference(10, 1)

const (
	eventStream = "text/event-stream"
	jsonLines   = "application/x-ndjson"
	// textMark is at the end of each message in both formats.
	textMark = "}\n"
)

func (b *bench) textStreamScenario() *scenario {
	s := &scenario{name: "SSE and NDJSON, HTTP/1.1", contenders: []*contender{
		b.streamContender("SSE", none, b.gatewayHTTP, b.watchHTTP(eventStream)),
		b.streamContender("NDJSON", none, b.gatewayHTTP, b.watchHTTP(jsonLines)),
		b.streamContender("net/http", ratio, b.reference("http-stream", b.textBytes), b.watchHTTP(eventStream)),
		b.streamContender("hijacked connection", ratio, b.reference("hijacked-stream", b.textBytes), b.watchHTTP(eventStream)),
		b.streamContender("TCP write", ratio, b.reference("tcp-stream", b.textBytes), b.watchHTTP(eventStream)),
	}}
	if b.peers != "" {
		s.contenders = append(s.contenders, b.peerContenders()...)
	}
	return s
}

func (b *bench) grpcStreamScenario(name string, settings streamSettings) *scenario {
	open := func(ctx context.Context, addr string, c *counters) error {
		return grpcStreams(ctx, addr, eventConference, settings, c)
	}
	return &scenario{name: name, contenders: []*contender{
		b.streamContender("gateway", none, b.gatewayGRPC, open),
		b.streamContender("grpc-go, encoded once", ratio, b.reference("grpc-stream", b.messageBytes), open),
	}}
}

func (b *bench) streamContender(name string, c comparison, launch launcher, open opener) *contender {
	return &contender{name: name, comparison: c, measure: func(ctx context.Context) (figures, error) {
		return b.measureStreams(ctx, launch, open)
	}}
}

// measureStreams measures a server while all subscribers receive its events.
func (b *bench) measureStreams(ctx context.Context, launch launcher, open opener) (figures, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p, addr, err := launch(ctx)
	if err != nil {
		return figures{}, err
	}
	defer p.stop()
	if err := pause(ctx, b.warmUp/4); err != nil {
		return figures{}, err
	}
	idle, err := p.memory()
	if err != nil {
		return figures{}, err
	}
	var c counters
	if err := b.connect(ctx, addr, open, &c); err != nil {
		return figures{}, err
	}
	result, err := b.measure(ctx, p, c.count)
	if err != nil {
		return figures{}, err
	}
	loaded, err := p.memory()
	result.memory = (loaded - idle) / float64(b.subscribers)
	return result, err
}

// connect opens the subscribers, and returns when they receive events.
func (b *bench) connect(ctx context.Context, addr string, open opener, c *counters) error {
	if err := open(ctx, addr, c); err != nil {
		return err
	}
	if err := c.waitForStreams(ctx, b.subscribers); err != nil {
		return err
	}
	return pause(ctx, b.warmUp)
}

func (s settings) duration() time.Duration { return time.Duration(s.seconds * float64(time.Second)) }

func (b *bench) gatewayHTTP(ctx context.Context) (*process, string, error) {
	g, err := startGateway(ctx, b.gateway, b.upstream, b.events)
	if err != nil {
		return nil, "", err
	}
	return g.process, g.httpAddr, nil
}

func (b *bench) gatewayGRPC(ctx context.Context) (*process, string, error) {
	g, err := startGateway(ctx, b.gateway, b.upstream, b.events)
	if err != nil {
		return nil, "", err
	}
	return g.process, g.grpcAddr, nil
}

func (b *bench) reference(kind string, size int) launcher { return b.eventServer(b.self, kind, size) }

// eventServer launches a server of a program that sends events of a size.
func (b *bench) eventServer(program, kind string, size int) launcher {
	rate := strconv.FormatFloat(b.events, 'f', -1, 64)
	return func(ctx context.Context) (*process, string, error) {
		return b.startServer(ctx, program, kind, "-rate", rate, "-size", strconv.Itoa(size))
	}
}

// watchHTTP opens watches of the conference of the streams.
func (b *bench) watchHTTP(accept string) opener {
	return func(ctx context.Context, addr string, c *counters) error {
		return textStreams(ctx, dialTo(addr), b.subscribers, watchRequest(addr, eventConference, accept, ""), textMark, c)
	}
}
