package main

import (
	"context"
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/audian/participant-gateway/internal/simulator"
)

// http2Upstream offers HTTP/2 over TLS and loses answers to adds. The gateway uses
// HTTP/1.1 only, and dials no phone twice (A1).
func http2Upstream(ctx context.Context, w *harness, _ *rand.Rand) error {
	const conference = "conf_http2"
	upstream, err := startUpstream(ctx, w.isolatedOptions(simulator.Options{}))
	if err != nil {
		return err
	}
	defer upstream.kill()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.results.check("requests by TLS from "+r.Proto, 1)
		if r.ProtoMajor != 1 {
			w.results.violatef(http2Spoken, "%s %s", r.Proto, r.Method)
		}
		upstream.Handler().ServeHTTP(rw, r)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	authority, remove, err := certificateFile(server)
	if err != nil {
		return err
	}
	defer remove()
	o := defaultPolls()
	o.env = append(o.env, "SSL_CERT_FILE="+authority)
	return w.isolatedAt(ctx, upstream, server.URL, o, func(ctx context.Context, h *harness) error {
		h.conferences = []string{conference}
		h.fill(conference, 3)
		for _, kind := range []simulator.FaultKind{simulator.FaultLost, simulator.FaultReset, simulator.FaultCut} {
			h.upstream.Inject(simulator.Fault{Kind: kind, Operation: simulator.Add, Probability: 0.25})
		}
		all := h.watch(ctx, h.conferences, both...)
		h.await(ctx, changesLost, "a snapshot", firstWithin, all, holds(visitor(0).ID, true))
		for n := range 12 {
			h.running.Go(func() { h.writers.add(context.WithoutCancel(ctx), conference, n%2 == 0, n%3 == 0) })
		}
		pause(ctx, callsWithin/2)
		h.awaitTruth(ctx)
		return nil
	})
}

// certificateFile writes the server's certificate to a file, which remove removes.
func certificateFile(server *httptest.Server) (path string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "chaos")
	if err != nil {
		return "", nil, fmt.Errorf("certificate: %w", err)
	}
	path = filepath.Join(dir, "authority.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(path, block, 0o600); err != nil {
		_ = os.RemoveAll(dir)
		return "", nil, fmt.Errorf("certificate: %w", err)
	}
	return path, func() { _ = os.RemoveAll(dir) }, nil
}
