// Package serve contains the upstream of the load harness and the reference servers that it
// compares the gateway with. Each reference does what the gateway does in one case, and
// nothing else, as a program for that case alone would.
package serve

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
)

// Options are the settings of a server. A server ignores those that it does not need.
type Options struct {
	// Upstream is the base URL of the upstream, without the version.
	Upstream string
	// Conference is the conference that a poller reads.
	Conference string
	// Rate is how many events or polls a second there are.
	Rate float64
	// Size is the size of an event's data in bytes.
	Size int
	// Pprof makes the server serve profiles on another port.
	Pprof bool
}

// servers are the servers by kind. Each serves until ctx ends.
var servers = map[string]func(ctx context.Context, listener net.Listener, o Options) error{
	"upstream":            serveUpstream,
	"http-stream":         serveHTTPStream,
	"hijacked-stream":     serveHijackedStream,
	"tcp-stream":          serveTCPStream,
	"grpc-stream":         serveGRPCStream,
	"grpc-gateway-stream": serveGRPCGatewayStream,
	"translator":          serveTranslator,
	"chain":               serveChain,
	"json-translator":     serveJSONTranslator,
	"reverse-proxy":       serveReverseProxy,
	"fetch":               serveFetch,
	"fetch-decode-diff":   serveFetchDecodeDiff,
}

// Kinds returns the kinds of servers.
func Kinds() string { return strings.Join(slices.Sorted(maps.Keys(servers)), ", ") }

// Run runs a server on a free port of loopback until ctx ends. It writes the address to out
// when it listens, and after it the address of the profiles if they are served.
func Run(ctx context.Context, kind string, o Options, out io.Writer) error {
	run, known := servers[kind]
	if !known {
		return fmt.Errorf("unknown kind of server %q: choose from %s", kind, Kinds())
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	if _, err := fmt.Fprintln(out, listener.Addr()); err != nil {
		return fmt.Errorf("write the address: %w", err)
	}
	if o.Pprof {
		addr, err := servePprof(ctx)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, addr); err != nil {
			return fmt.Errorf("write the address: %w", err)
		}
	}
	if err := run(ctx, listener, o); err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	return nil
}
