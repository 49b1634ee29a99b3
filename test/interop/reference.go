package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/test/watchclient"
)

// reference is the driver's own watch of a conference: directly at the gateway, without a filter.
type reference struct {
	*recorder

	conference string
	stop       context.CancelFunc
	stopped    chan struct{}
}

// startReference begins to watch, and returns when it has the first roster.
func startReference(ctx context.Context, g *gateway, key, conference string) (*reference, error) {
	watching, stop := context.WithCancel(ctx)
	r := &reference{recorder: newRecorder(), conference: conference, stop: stop, stopped: make(chan struct{})}
	go func() {
		defer close(r.stopped)
		r.watch(watching, g, key)
	}()
	for {
		truth, changed := r.current()
		if len(truth.rosters) > 0 {
			return r, nil
		}
		select {
		case <-changed:
		case <-r.stopped:
			stop()
			return nil, fmt.Errorf("the driver's watch of %s ended before the first roster", conference)
		case <-ctx.Done():
			stop()
			return nil, fmt.Errorf("the driver's watch of %s: %w", conference, context.Cause(ctx))
		}
	}
}

// close ends the watch.
func (r *reference) close() {
	r.stop()
	<-r.stopped
}

// watch watches until the conference ends. After a restart of the gateway it begins anew.
func (r *reference) watch(ctx context.Context, g *gateway, key string) {
	for ctx.Err() == nil {
		if r.watchOnce(ctx, g.grpcAddr(), key) {
			return
		}
		r.claim(claim{at: time.Now()})
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (r *reference) watchOnce(ctx context.Context, addr, key string) (ended bool) {
	if addr == "" {
		return false
	}
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithCancel(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+key))
	defer cancel()
	next, err := watchclient.Transports["gRPC"](ctx, watchclient.Gateway{GRPC: v2.NewParticipantServiceClient(conn)},
		watchclient.Request{Conference: r.conference})
	if err != nil {
		return false
	}
	held := watchclient.Roster{}
	for {
		m, err := next()
		if err != nil || m.End != nil {
			return err == nil
		}
		if err := held.Apply(m); err != nil {
			return false
		}
		r.record(m, held)
	}
}

// record adds what a message says to the truth.
func (r *reference) record(m watchclient.Message, held watchclient.Roster) {
	now := time.Now()
	switch {
	case m.Snapshot != nil:
		r.roster(held)
		r.claim(claim{at: now, known: true, fresh: true})
	case m.Changes != nil:
		r.roster(held)
	case m.Checkpoint != nil:
		r.claim(claim{at: now, known: true, fresh: m.Checkpoint.Freshness == "fresh", reason: m.Checkpoint.Reason})
	}
}
