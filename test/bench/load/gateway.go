package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// gateway is a process of the gateway.
type gateway struct {
	*process

	grpcAddr, httpAddr, adminAddr string
}

// startGateway starts the gateway in front of an upstream. It reads each conference at a rate.
// Limits on subscribers are off; the limit on calls is on, and is never reached.
func startGateway(ctx context.Context, program, upstream string, rate float64) (*gateway, error) {
	interval := time.Duration(float64(time.Second) / rate).String()
	p, err := start(ctx, program,
		"--upstream-url", upstream+"/v2", "--log-format", "json",
		"--grpc-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0",
		"--poll-interval", interval, "--max-poll-interval", interval, "--poll-rate", "1000",
		"--max-subscribers", "0", "--max-streams-per-caller", "0", "--max-calls-per-second", "1000000")
	if err != nil {
		return nil, err
	}
	g := &gateway{process: p}
	if err := g.readAddresses(); err != nil {
		g.stop()
		return nil, err
	}
	return g, nil
}

func (g *gateway) readAddresses() error {
	for g.adminAddr == "" {
		line, err := g.line()
		if err != nil {
			return err
		}
		transport, addr, _ := strings.Cut(line, " ")
		addr = strings.TrimPrefix(strings.TrimSpace(addr), "http://")
		switch transport {
		case "gRPC":
			g.grpcAddr = addr
		case "HTTP":
			g.httpAddr = addr
		case "admin":
			g.adminAddr, g.pprofAddr = addr, addr
		}
	}
	return nil
}

// ready reports whether the gateway is ready.
func (g *gateway) ready(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.adminAddr+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	response, err := plainClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// heapGoal returns the size of the heap at which the next garbage collection ends: twice what
// is in use. The resident memory also contains what the runtime has not returned.
func (g *gateway) heapGoal(ctx context.Context) (float64, error) {
	var text bytes.Buffer
	if _, err := get(ctx, "http://"+g.adminAddr+"/metrics", &text); err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(text.String(), "\ngo_memstats_next_gc_bytes ")
	line, _, _ := strings.Cut(after, "\n")
	goal, err := strconv.ParseFloat(line, 64)
	if err != nil {
		return 0, fmt.Errorf("read the heap's goal: %w", err)
	}
	return goal, nil
}

// watchRequest is the HTTP request of a watch.
func watchRequest(addr, conference, accept, query string) string {
	return fmt.Sprintf("GET /v2/conferences/%s/participants:watch?heartbeat_interval=60s%s HTTP/1.1\r\nHost: %s\r\nAccept: %s\r\n\r\n",
		conference, query, addr, accept)
}

// defaultGateway is where the Makefile builds the gateway's program.
const defaultGateway = "bin/bench/server"
