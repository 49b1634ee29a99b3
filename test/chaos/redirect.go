package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// redirectTarget is the server that redirects lead to. Following one would disclose the
// credential (A6).
type redirectTarget struct {
	addr   string
	server *http.Server
}

func startRedirectTarget(ctx context.Context, t *results) (*redirectTarget, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("redirect target: %w", err)
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.violatef(redirected, "%s %s", r.Method, r.URL.Path)
	})}
	go func() { _ = server.Serve(listener) }()
	return &redirectTarget{addr: listener.Addr().String(), server: server}, nil
}

func (t *redirectTarget) close() { _ = t.server.Close() }
