package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/test/watchclient"
)

// churnWorkers is how many clients open and close streams at the same time.
const churnWorkers = 12

// slack is by how much the numbers of a process may differ for other reasons: far less
// than a leak in one of a hundred streams.
const slack = 60

// churnStreams opens and closes streams over both transports, before and after the first
// message. Nothing of them may remain (W12).
func churnStreams(ctx context.Context, w *harness, _ *rand.Rand) error {
	g := w.gateway.Load()
	routines, err := g.goroutines(ctx)
	if err != nil {
		return err
	}
	files := g.descriptors()
	var todo atomic.Int64
	todo.Store(int64(w.settings.churn))
	var opening sync.WaitGroup
	for range churnWorkers {
		opening.Go(func() {
			for n := todo.Add(-1); n >= 0 && ctx.Err() == nil; n = todo.Add(-1) {
				w.churnOnce(ctx, g, int(n))
			}
		})
	}
	opening.Wait()
	return w.checkLeaks(ctx, g, routines, files)
}

// churnOnce opens one stream and closes it.
func (w *harness) churnOnce(ctx context.Context, g *gateway, n int) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	open := openGRPC
	if n%2 == 0 {
		open = openHTTP
	}
	if err := open(ctx, g, watchclient.Request{Conference: w.conferences[n/2%len(w.conferences)]}, n%3 == 0); err != nil {
		w.results.violatef(unexpectedEnds, "open and close: %v", err)
		return
	}
	w.results.stream("opened and closed")
}

func openGRPC(ctx context.Context, g *gateway, what watchclient.Request, atOnce bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := g.client.WatchParticipants(ctx, &v2.WatchParticipantsRequest{ConferenceId: what.Conference})
	if err == nil && !atOnce {
		_, err = stream.Recv()
	}
	if err != nil {
		return fmt.Errorf("gRPC: %w", err)
	}
	return nil
}

// openHTTP opens its own connection, so that descriptors are opened and closed.
func openHTTP(ctx context.Context, g *gateway, what watchclient.Request, atOnce bool) error {
	own := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := watchclient.OpenSSE(ctx, own, g.httpAddr, what)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if atOnce {
		return nil
	}
	if _, err := io.ReadFull(response.Body, make([]byte, 64)); err != nil {
		return fmt.Errorf("SSE: %w", err)
	}
	return nil
}

// checkLeaks waits until the numbers of goroutines and descriptors are as before.
func (w *harness) checkLeaks(ctx context.Context, g *gateway, routines, files int) error {
	var routinesNow, filesNow int
	var err error
	back := eventually(ctx, 15*time.Second, func() bool {
		routinesNow, err = g.goroutines(ctx)
		filesNow = g.descriptors()
		return err == nil && routinesNow <= routines+slack && filesNow <= files+slack
	})
	if err != nil {
		return err
	}
	w.results.check("goroutines more after opens and closes", routinesNow-routines)
	w.results.check("descriptors more after opens and closes", filesNow-files)
	if !back && routinesNow > routines+slack {
		w.results.violatef(leakedGoroutines, "%d before, %d after", routines, routinesNow)
	}
	if !back && filesNow > files+slack {
		w.results.violatef(leakedFiles, "%d before, %d after", files, filesNow)
	}
	return nil
}
