package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// world is what one client plays the scenario in: a gateway with its upstream, and the network between
// the client and the gateway.
type world struct {
	upstream   *upstream
	gateway    *gateway
	keys       *keys
	grpc, http *proxy
	log        io.Closer
	dir        string
}

// startWorld starts everything on free ports of loopback. Without authentication the gateway ignores
// credentials. logs is the folder of the gateway's log.
func startWorld(ctx context.Context, server, name, logs string, authenticates bool) (w *world, err error) {
	w = &world{}
	defer func() {
		if err != nil {
			_ = w.close()
		}
	}()
	if w.dir, err = os.MkdirTemp("", "interop-"); err != nil {
		return w, fmt.Errorf("folder: %w", err)
	}
	if w.upstream, err = startUpstream(ctx); err != nil {
		return w, err
	}
	if w.keys, err = createKeys(ctx, server, w.dir); err != nil {
		return w, err
	}
	log, err := os.Create(filepath.Join(logs, name+".gateway.log"))
	if err != nil {
		return w, fmt.Errorf("log: %w", err)
	}
	w.log = log
	flags := []string{
		"--upstream-url", "http://" + w.upstream.addr + "/v2", "--history", "16",
		"--poll-interval", "300ms", "--max-poll-interval", "500ms",
	}
	if authenticates {
		flags = append(flags, "--auth", "keys", "--auth-keys-file", w.keys.file)
	}
	w.gateway = &gateway{binary: server, log: log, flags: flags}
	if err := w.gateway.start(ctx); err != nil {
		return w, err
	}
	if w.grpc, err = startProxy(ctx, w.gateway.grpcAddr); err != nil {
		return w, err
	}
	w.http, err = startProxy(ctx, w.gateway.httpAddr)
	return w, err
}

func (w *world) network() network { return network{w.grpc, w.http} }

// reset ends what a step may have left: faults of the network and the upstream, and a gateway that does
// not run.
func (w *world) reset(ctx context.Context) error {
	w.upstream.ClearFaults()
	if err := w.network().set(ctx, "pass"); err != nil {
		return err
	}
	if w.gateway.process.Load() == nil {
		return w.gateway.start(ctx)
	}
	return nil
}

// close ends everything that was started.
func (w *world) close() error {
	var errs []error
	for _, p := range []*proxy{w.grpc, w.http} {
		if p != nil {
			p.close()
		}
	}
	if w.gateway != nil {
		errs = append(errs, w.gateway.stop())
	}
	if w.upstream != nil {
		errs = append(errs, w.upstream.server.Close())
	}
	if w.log != nil {
		errs = append(errs, w.log.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(w.dir))...)
}
