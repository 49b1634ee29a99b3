package unary_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	gateway "github.com/audian/participant-gateway/gen/gateway/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/server"
)

// startUpstream serves one list of so many participants.
func startUpstream(participants int) (addresses, error) {
	body := listBody(participants)
	return serveHTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}))
}

func listBody(participants int) []byte {
	var body bytes.Buffer
	body.WriteString(`{"participants":[`)
	for i := range participants {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"id":"part_%06d","conference_id":"conf_bench","phone_number":"+1202555%04d",`+
			`"name":"Participant %d","role":"listener","status":"connected","muted":false,"duration":%d,`+
			`"joined_at":"2026-02-04T11:15:30Z","created_at":"2026-02-04T11:15:20Z"}`, i, i, i, 245+i)
	}
	fmt.Fprintf(&body, `],"total":%d,"active":%d}`, participants, participants)
	return body.Bytes()
}

// startGateway runs the product with its access log.
func startGateway(upstream string) (addresses, error) {
	cfg, err := config.Parse([]string{
		"--upstream-url=http://" + upstream + "/v2", "--upstream-token=token", "--log-format=json",
		"--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0", "--max-calls-per-second=0",
	}, nil, io.Discard)
	if err != nil {
		return addresses{}, err
	}
	running, err := server.New(cfg, server.NewLogger(os.Stderr, cfg.Log))
	if err != nil {
		return addresses{}, err
	}
	go func() { _ = running.Run(context.Background()) }()
	return addresses{GRPC: running.GRPCAddr(), HTTP: running.HTTPAddr()}, nil
}

// startTranslator serves the smallest translator from gRPC to the upstream's REST API.
func startTranslator(upstream string) (addresses, error) {
	listener, err := listen()
	if err != nil {
		return addresses{}, err
	}
	translating := grpc.NewServer()
	v2.RegisterParticipantServiceServer(translating, newTranslator(upstream))
	go func() { _ = translating.Serve(listener) }()
	return addresses{GRPC: listener.Addr().String()}, nil
}

// startChain serves the smallest chain from REST to REST through gRPC: grpc-gateway, a connection,
// and the translator, in one process.
func startChain(upstream string) (addresses, error) {
	translating, err := startTranslator(upstream)
	if err != nil {
		return addresses{}, err
	}
	conn, err := grpc.NewClient(translating.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return addresses{}, err
	}
	mux := runtime.NewServeMux()
	if err := gateway.RegisterParticipantServiceHandler(context.Background(), mux, conn); err != nil {
		return addresses{}, err
	}
	return serveHTTP(mux)
}

// startProxy serves net/http's reverse proxy, which reads no body.
func startProxy(upstream string) (addresses, error) {
	return serveHTTP(httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: upstream}))
}

func serveHTTP(handler http.Handler) (addresses, error) {
	listener, err := listen()
	if err != nil {
		return addresses{}, err
	}
	go func() { _ = http.Serve(listener, handler) }()
	return addresses{HTTP: listener.Addr().String()}, nil
}

func listen() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }
