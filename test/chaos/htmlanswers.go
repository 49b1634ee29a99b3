package main

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// htmlStatuses are refusals that a proxy answers in HTML. None of them is the upstream's
// verdict (A5, W11).
var htmlStatuses = []int{http.StatusNotFound, http.StatusForbidden, http.StatusBadRequest, http.StatusGone}

// htmlFor is how long the proxy answers instead of the upstream: long enough for two
// refusals two seconds apart, which would end a conference if they were the upstream's.
const htmlFor = 5 * time.Second

// htmlRemoves is how many removes the experiment makes itself.
const htmlRemoves = 8

// answerHTML makes a proxy answer HTML in place of the upstream to lists, adds and removes.
func answerHTML(ctx context.Context, w *harness, rng *rand.Rand) error {
	before := w.results.faultCount("upstream status of list")
	for _, f := range htmlFaults(rng) {
		w.upstream.Inject(f)
	}
	var removes sync.WaitGroup
	for n := range htmlRemoves {
		conference := w.conferences[n%len(w.conferences)]
		if present := w.writers.present(conference); len(present) > 0 {
			id := present[rng.IntN(len(present))]
			removes.Go(func() { w.writers.remove(ctx, conference, id, n%4 < 2) })
		}
	}
	pause(ctx, htmlFor)
	removes.Wait()
	w.upstream.ClearFaults()
	if w.results.faultCount("upstream status of list") == before {
		return errors.New("no list met the fault")
	}
	return nil
}

// htmlFaults are in place until cleared. Some requests are passed on all the same, and
// some removes are cut, so that their retry gets the HTML 404.
func htmlFaults(rng *rand.Rand) []simulator.Fault {
	faults := []simulator.Fault{
		{Kind: simulator.FaultCut, Operation: simulator.Remove, Probability: 0.4},
		{Operation: simulator.List, Status: http.StatusNotFound},
		{Operation: simulator.Add, Probability: 0.5, Handled: true},
		{Operation: simulator.Add, Probability: 0.3, Status: http.StatusUnauthorized},
		{Operation: simulator.Add},
		{Operation: simulator.Remove, Probability: 0.1, Handled: true},
		{Operation: simulator.Remove, Status: http.StatusNotFound},
	}
	for n := range faults {
		f := &faults[n]
		if f.Kind == "" {
			f.Kind, f.Body = simulator.FaultStatus, simulator.HTMLBody
			f.Status = cmp.Or(f.Status, htmlStatuses[rng.IntN(len(htmlStatuses))])
		}
	}
	return faults
}
