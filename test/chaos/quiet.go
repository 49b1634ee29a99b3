package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// quietConference is only watched: each list of it upstream is a poll, of one page.
const quietConference = "conf_quiet"

// quietVisitors fit into a page.
const quietVisitors = 6

func (w *harness) openQuiet() {
	for n := range quietVisitors {
		w.visitors.enter(quietConference, visitor(9000+n))
	}
}

// watchQuiet starts watchers of the quiet conference, and changes it now and then.
func (w *harness) watchQuiet(ctx context.Context) {
	for n := range 6 {
		watcher := &watcher{
			harness: w, conference: quietConference, transport: []string{"gRPC", "SSE"}[n%2], reconnects: n/2 == 1, held: roster{},
		}
		w.watchers = append(w.watchers, watcher)
		w.running.Go(func() { watcher.follow(ctx) })
	}
	w.running.Go(func() { w.changeQuiet(ctx, w.rng(forQuiet)) })
}

func (w *harness) changeQuiet(ctx context.Context, rng *rand.Rand) {
	for ctx.Err() == nil {
		w.mutations.RLock()
		w.visitors.change(quietConference, visitor(9000+rng.IntN(quietVisitors)).ID)
		w.mutations.RUnlock()
		pause(ctx, time.Duration(300+rng.IntN(2000))*time.Millisecond)
	}
}

const (
	// pollWindow is a time in which polls are counted, and mostPolls how many there may be: one an
	// interval, and some more for jitter and takeovers. Two pollers would send twenty.
	pollWindow = 3 * time.Second
	mostPolls  = int(pollWindow/clusterPolls) + 4
	// takeoverWithin is R3's time; the rest is for a slow machine.
	takeoverWithin = 3*time.Second + clusterPolls + 1500*time.Millisecond
	// faultLasts is how long a fault of everything may still have an effect: the longest back-off
	// of a poll, and a takeover.
	faultLasts = 5*time.Second + takeoverWithin
)

// checkPolls counts the polls of the quiet conference, and looks for takeovers that came late (R1, R3).
func (w *harness) checkPolls() {
	lists, longest := w.upstream.arrivals.of(simulator.List, quietConference), time.Duration(0)
	w.results.check("polls of the quiet conference", len(lists))
	for n := range lists {
		if n >= mostPolls && lists[n].Sub(lists[n-mostPolls]) < pollWindow {
			w.results.violatef(tooManyPolls, "%d in %s", mostPolls+1, lists[n].Sub(lists[n-mostPolls]))
		}
		if n == 0 || w.cluster.any(lists[n-1], lists[n], faultLasts, allReplicas, dataLost, upstreamBad) {
			continue
		}
		gap := lists[n].Sub(lists[n-1])
		longest = max(longest, gap)
		if gap > takeoverWithin {
			w.results.violatef(lateTakeovers, "no poll for %s, from %s", gap, lists[n-1].Format("15:04:05.000"))
		}
	}
	w.results.check("longest time without a poll, in ms", int(longest.Milliseconds()))
}

// checkAddRate counts the adds of each second: ten, and a share on top for each replica that is cut off (R5, R8).
func (w *harness) checkAddRate() {
	const budget, window = 10, 900 * time.Millisecond // A slow machine may delay the first of two requests.
	adds, most := w.upstream.arrivals.of(simulator.Add, ""), 0
	for n, first := 0, 0; n < len(adds); n++ {
		for adds[n].Sub(adds[first]) >= window {
			first++
		}
		count, allowed := n-first+1, budget
		switch from := adds[first].Add(-time.Second); {
		case w.cluster.any(from, adds[n], time.Second, upstreamSlow):
			continue
		case w.cluster.any(from, adds[n], 2*time.Second, oneReplica, allReplicas, dataLost):
			cutOff := w.cluster.count(from, adds[n], time.Second, oneReplica)
			allowed += max(1, cutOff) * (budget / w.settings.replicas)
		}
		most = max(most, count)
		if count > allowed {
			w.results.violatef(tooManyAdds, "%d within %s until %s", count, window, adds[n].Format("15:04:05.000"))
		}
	}
	w.results.check("most adds in a second", most)
}
