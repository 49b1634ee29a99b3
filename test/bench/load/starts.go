package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// startScenario measures the time to readiness in place of processor time, and the memory of
// an idle gateway in place of a subscriber's.
func (b *bench) startScenario() *scenario {
	return &scenario{name: "start, from exec to ready", contenders: []*contender{{name: "gateway", measure: b.measureStart}}}
}

// starts is how often one measurement starts the gateway; the result is their median.
const starts = 5

func (b *bench) measureStart(ctx context.Context) (figures, error) {
	program, err := os.Stat(b.gateway)
	if err != nil {
		return figures{}, fmt.Errorf("find the gateway: %w", err)
	}
	results := make([]figures, starts)
	for i := range results {
		if results[i], err = b.startOnce(ctx); err != nil {
			return figures{}, err
		}
	}
	return figures{
		cost: median(results, figures.costOf), memory: median(results, figures.memoryOf), size: float64(program.Size()),
	}, nil
}

func (b *bench) startOnce(ctx context.Context) (figures, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	began := time.Now()
	g, err := startGateway(ctx, b.gateway, b.upstream, 1)
	if err != nil {
		return figures{}, err
	}
	defer g.stop()
	for !g.ready(ctx) {
		if err := pause(ctx, time.Millisecond); err != nil {
			return figures{}, err
		}
	}
	took := time.Since(began)
	if err := pause(ctx, b.warmUp); err != nil {
		return figures{}, err
	}
	memory, err := g.memory()
	return figures{cost: took, memory: memory}, err
}
