// Package unary measures what a List costs the gateway, beside the smallest servers that do the same.
package unary_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// pace is the pause from the start of a call to that of the next: 1,000 calls a second.
const pace = time.Millisecond

// BenchmarkList measures a List of one participant and of 1,000, over gRPC and REST: the CPU time and
// the allocations of the server. The references are the smallest translator from gRPC to the
// upstream's REST API; the smallest chain of grpc-gateway, gRPC and REST; a REST server that decodes
// and encodes with encoding/json; and net/http's reverse proxy.
func BenchmarkList(b *testing.B) {
	for _, size := range []int{1, 1000} {
		for _, way := range []struct {
			transport, way, role string
			dial                 func(*testing.B, addresses) func() error
		}{
			{"grpc", "plain", "translator", dialGRPC},
			{"grpc", "gateway", "gateway", dialGRPC},
			{"rest", "chain", "chain", dialREST},
			{"rest", "plain", "rest", dialREST},
			{"rest", "proxy", "proxy", dialREST},
			{"rest", "gateway", "gateway", dialREST},
		} {
			b.Run(fmt.Sprintf("size=%d/transport=%s/way=%s", size, way.transport, way.way), func(b *testing.B) {
				upstream := start(b, fmt.Sprintf("upstream-%d", size), "")
				served := start(b, way.role, upstream.HTTP)
				measure(b, served, way.dial(b, served.addresses))
			})
		}
	}
}

// measure makes paced calls, and reports what one costs the server.
func measure(b *testing.B, served *process, call func() error) {
	b.Helper()
	const warmup = 200
	for range warmup {
		if err := call(); err != nil {
			b.Fatal(err)
		}
	}
	paced := time.NewTicker(pace)
	defer paced.Stop()
	before := served.used(b)
	for b.Loop() {
		<-paced.C
		if err := call(); err != nil {
			b.Fatal(err)
		}
	}
	after := served.used(b)
	calls := float64(b.N)
	b.ReportMetric(0, "ns/op") // It contains the pauses between the calls.
	b.ReportMetric(float64((after.CPU-before.CPU).Microseconds())/calls, "cpu-us/call")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/calls, "allocs/call")
	b.ReportMetric(float64(after.Bytes-before.Bytes)/calls, "B/call")
}

// dialGRPC returns a function that lists over one gRPC connection.
func dialGRPC(b *testing.B, at addresses) func() error {
	b.Helper()
	conn, err := grpc.NewClient(at.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	client := v2.NewParticipantServiceClient(conn)
	request := &v2.ListParticipantsRequest{ConferenceId: "conf_bench"}
	return func() error {
		_, err := client.ListParticipants(b.Context(), request)
		return err
	}
}

// dialREST returns a function that lists over one HTTP connection.
func dialREST(b *testing.B, at addresses) func() error {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{}}
	b.Cleanup(client.CloseIdleConnections)
	url := "http://" + at.HTTP + "/v2/conferences/conf_bench/participants"
	return func() error {
		response, err := client.Get(url)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", response.StatusCode)
		}
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
}
