package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// htmlStatuses are refusals that a proxy answers in HTML. None of them is the upstream's
// verdict (A5, W11).
var htmlStatuses = []int{http.StatusNotFound, http.StatusForbidden, http.StatusUnauthorized, http.StatusBadRequest, http.StatusGone}

// htmlFor is how long the proxy answers instead of the upstream: long enough for two
// refusals two seconds apart, which would end a conference if they were the upstream's.
const htmlFor = 5 * time.Second

// answerHTML has a proxy answer HTML in place of the upstream to lists, adds and removes,
// with and without passing the request on. Removes lose an answer before.
func answerHTML(ctx context.Context, w *harness, rng *rand.Rand) error {
	const lost = 2 // Cut removes, whose retries meet the proxy.
	w.upstream.Inject(simulator.Fault{Kind: simulator.FaultCut, Operation: simulator.Remove, Times: lost})
	for _, f := range []simulator.Fault{
		{Operation: simulator.List, Status: http.StatusNotFound},
		{Operation: simulator.Add, Probability: 0.5, Handled: true},
		{Operation: simulator.Add},
		{Operation: simulator.Remove, Probability: 0.3, Handled: true},
		{Operation: simulator.Remove},
	} {
		f.Kind, f.Body = simulator.FaultStatus, simulator.HTMLBody
		if f.Status == 0 {
			f.Status = htmlStatuses[rng.IntN(len(htmlStatuses))]
		}
		w.upstream.Inject(f)
	}
	pause(ctx, htmlFor)
	w.upstream.ClearFaults()
	return nil
}
