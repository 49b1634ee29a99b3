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

// pace is the pause from the start of a call to that of the next.
const pace = 500 * time.Microsecond

// way is one server, and how it is called.
type way struct {
	name, role string
	dial       func(*testing.B, addresses) func() error
}

// BenchmarkList measures a List of one participant and of 1,000, over gRPC and REST: the CPU time and
// the allocations of the gateway. The references are the smallest translator from gRPC to the
// upstream's REST API; the smallest chain of grpc-gateway, gRPC and REST; a REST server that decodes
// and encodes with encoding/json; and net/http's reverse proxy. All run at the same time and are
// called in turn, so that the noise of the machine affects all of them alike.
func BenchmarkList(b *testing.B) {
	for _, size := range []int{1, 1000} {
		for _, transport := range []struct {
			name string
			ways []way
		}{
			{"grpc", []way{{"plain", "translator", dialGRPC}, {"gateway", "gateway", dialGRPC}}},
			{"rest", []way{
				{"plain", "rest", dialREST}, {"chain", "chain", dialREST}, {"proxy", "proxy", dialREST}, {"gateway", "gateway", dialREST},
			}},
		} {
			b.Run(fmt.Sprintf("size=%d/transport=%s", size, transport.name), func(b *testing.B) {
				upstream := start(b, fmt.Sprintf("upstream-%d", size), "")
				compare(b, transport.ways, upstream.HTTP)
			})
		}
	}
}

// compare calls the servers in turn, and reports what a call costs each of them.
func compare(b *testing.B, ways []way, upstream string) {
	b.Helper()
	calls, servers := make([]func() error, len(ways)), make([]*process, len(ways))
	for i, one := range ways {
		servers[i] = start(b, one.role, upstream)
		calls[i] = one.dial(b, servers[i].addresses)
	}
	inTurn := func(wait <-chan time.Time) {
		for _, call := range calls {
			<-wait
			if err := call(); err != nil {
				b.Fatal(err)
			}
		}
	}
	paced := time.NewTicker(pace)
	defer paced.Stop()
	const warmup = 200
	for range warmup {
		inTurn(paced.C)
	}
	before := usages(b, servers)
	for b.Loop() {
		inTurn(paced.C)
	}
	after := usages(b, servers)
	b.ReportMetric(0, "ns/op") // It contains the pauses between the calls.
	for i, one := range ways {
		used := after[i].minus(before[i])
		b.ReportMetric(float64(used.CPU.Nanoseconds())/1e3/float64(b.N), one.name+"-cpu-us/call")
		b.ReportMetric(float64(used.Mallocs)/float64(b.N), one.name+"-allocs/call")
		b.ReportMetric(float64(used.Bytes)/float64(b.N), one.name+"-B/call")
	}
}

func usages(b *testing.B, servers []*process) []usage {
	b.Helper()
	all := make([]usage, len(servers))
	for i, server := range servers {
		all[i] = server.used(b)
	}
	return all
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
