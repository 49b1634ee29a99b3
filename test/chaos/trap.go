package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// trap is where redirects lead. Nobody is to follow one: it would carry the credential
// away (A6).
type trap struct {
	addr   string
	server *http.Server
}

func startTrap(ctx context.Context, t *tally) (*trap, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("trap: %w", err)
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.brokenf(redirected, "%s %s", r.Method, r.URL.Path)
	})}
	go func() { _ = server.Serve(listener) }()
	return &trap{addr: listener.Addr().String(), server: server}, nil
}

func (t *trap) close() { _ = t.server.Close() }
