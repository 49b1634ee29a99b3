package main

import (
	"context"
)

// prepare returns the call of a server at an address.
type prepare func(ctx context.Context, addr, conference string) (call, error)

func (b *bench) callScenario(name, conference string, rate float64) *scenario {
	contend := func(name string, c comparison, launch launcher, client prepare) *contender {
		return &contender{name: name, comparison: c, measure: func(ctx context.Context) (figures, error) {
			return b.measureCalls(ctx, launch, client, conference, rate)
		}}
	}
	return &scenario{name: name, contenders: []*contender{
		contend("gRPC", none, b.gatewayGRPC, listOverGRPC),
		contend("REST", none, b.gatewayHTTP, listOverREST),
		contend("gRPC translator", ratio, b.caller("translator"), listOverGRPC),
		contend("grpc-gateway, then the gRPC translator", ratio, b.caller("chain"), listOverREST),
		contend("REST translator", ratio, b.caller("json-translator"), listOverREST),
		contend("ReverseProxy", ratio, b.caller("reverse-proxy"), listOverREST),
	}}
}

func (b *bench) caller(kind string) launcher {
	return func(ctx context.Context) (*process, string, error) { return b.startServer(ctx, b.self, kind) }
}

// measureCalls measures a server while clients call it at a rate.
func (b *bench) measureCalls(ctx context.Context, launch launcher, client prepare, conference string, rate float64) (figures, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p, addr, err := launch(ctx)
	if err != nil {
		return figures{}, err
	}
	defer p.stop()
	list, err := client(ctx, addr, conference)
	if err != nil {
		return figures{}, err
	}
	var c counters
	callAtRate(ctx, rate, list, &c)
	if err := pause(ctx, b.warmUp); err != nil {
		return figures{}, err
	}
	return b.measure(ctx, p, c.count)
}
