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
)

// openers is how many open and close at the same time.
const openers = 12

// slack is by how much a process may differ after the drill for other reasons than it:
// far less than a leak of one in a hundred.
const slack = 60

// openAndClose opens streams and hangs up, over both doors, before and after the first
// message. Nothing of them may stay (W12).
func openAndClose(ctx context.Context, w *world, _ *rand.Rand) error {
	g := w.gateway.Load()
	routines, err := g.goroutines(ctx)
	if err != nil {
		return err
	}
	files := g.descriptors()
	var todo atomic.Int64
	todo.Store(int64(w.settings.opens))
	var opening sync.WaitGroup
	for range openers {
		opening.Go(func() {
			for n := todo.Add(-1); n >= 0 && ctx.Err() == nil; n = todo.Add(-1) {
				w.openOnce(ctx, g, int(n))
			}
		})
	}
	opening.Wait()
	return w.leaks(ctx, g, routines, files)
}

// openOnce opens one stream and closes it.
func (w *world) openOnce(ctx context.Context, g *gateway, n int) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	open := openGRPC
	if n%2 == 0 {
		open = openHTTP
	}
	if err := open(ctx, g, asked{conference: rooms[n/2%len(rooms)]}, n%3 == 0); err != nil {
		w.tally.brokenf(endedUnasked, "open and close: %v", err)
		return
	}
	w.tally.stream("opened and closed")
}

func openGRPC(ctx context.Context, g *gateway, what asked, atOnce bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := g.client.WatchParticipants(ctx, &v2.WatchParticipantsRequest{ConferenceId: what.conference})
	if err == nil && !atOnce {
		_, err = stream.Recv()
	}
	if err != nil {
		return fmt.Errorf("gRPC: %w", err)
	}
	return nil
}

// openHTTP takes a connection of its own, so that descriptors come and go.
func openHTTP(ctx context.Context, g *gateway, what asked, atOnce bool) error {
	own := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := openSSE(ctx, own, g.httpAddr, what)
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

// leaks compares with what there was before, as soon as it is back there.
func (w *world) leaks(ctx context.Context, g *gateway, routines, files int) error {
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
	w.tally.check("goroutines more after opens and closes", routinesNow-routines)
	w.tally.check("descriptors more after opens and closes", filesNow-files)
	if !back && routinesNow > routines+slack {
		w.tally.brokenf(leakedGoroutines, "%d before, %d after", routines, routinesNow)
	}
	if !back && filesNow > files+slack {
		w.tally.brokenf(leakedFiles, "%d before, %d after", files, filesNow)
	}
	return nil
}
