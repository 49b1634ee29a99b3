package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"runtime/debug"

	"github.com/audian/participant-gateway/test/bench/load/serve"
)

// scenario is one case of the table: the gateway and its references with the same work.
type scenario struct {
	name       string
	contenders []*contender
}

// contender is one server in one case.
type contender struct {
	name       string
	comparison comparison
	measure    func(ctx context.Context) (figures, error)
	results    []figures // One for each round.
}

// comparison is how the gateway is compared with a contender.
type comparison int

const (
	none       comparison = iota // It is the gateway.
	ratio                        // By the ratio of the costs.
	difference                   // By the difference of the costs.
)

// bench is what the measurements share.
type bench struct {
	settings

	// self is this program, which contains the reference servers.
	self string
	// upstream is the base URL of the upstream, which answers with lists at once.
	upstream        string
	upstreamProcess *process
}

func newBench(ctx context.Context, s settings) (*bench, error) {
	debug.SetGCPercent(400) // The clients take less of the processors.
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	b := &bench{settings: s, self: self}
	if err := b.startUpstream(ctx); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *bench) startUpstream(ctx context.Context) error {
	upstream, addr, err := b.startServer(ctx, b.self, "upstream")
	if err != nil {
		return err
	}
	b.upstream, b.upstreamProcess = "http://"+addr, upstream
	return nil
}

func (b *bench) stop() { b.upstreamProcess.stop() }

// startServer starts a server of a program that has the command serve.
func (b *bench) startServer(ctx context.Context, program, kind string, flags ...string) (p *process, addr string, err error) {
	args := append([]string{"serve", kind, "-upstream", b.upstream}, flags...)
	pprof := b.profiles != "" && program == b.self
	if pprof {
		args = append(args, "-pprof")
	}
	p, err = start(ctx, program, args...)
	if err != nil {
		return nil, "", err
	}
	if addr, err = p.line(); err != nil {
		p.stop()
		return nil, "", err
	}
	if pprof {
		if p.pprofAddr, err = p.line(); err != nil {
			p.stop()
			return nil, "", err
		}
	}
	return p, addr, nil
}

// scenarios returns the cases whose names match.
func (b *bench) scenarios(selected *regexp.Regexp) []*scenario {
	var found []*scenario
	for _, s := range []*scenario{
		b.textStreamScenario(),
		b.grpcStreamScenario("gRPC stream, clients without options", streamSettings{b.subscribers, 1, false}),
		b.grpcStreamScenario("gRPC stream, clients with a fixed window", streamSettings{b.subscribers, 1, true}),
		b.grpcStreamScenario("gRPC stream, 100 on a connection", streamSettings{b.subscribers, 100, false}),
		b.callScenario("List of 1 participant", serve.Conference(1, 0), b.calls),
		b.callScenario("List of 1,000 participants", serve.Conference(1000, 0), b.lists),
		b.pollScenario(),
		b.startScenario(),
	} {
		if selected.MatchString(s.name) {
			found = append(found, s)
		}
	}
	return found
}
