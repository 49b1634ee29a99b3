package main

import (
	"slices"
	"sync"
	"time"
)

// disturbance is a kind of fault, during which some rules for replicas allow more.
type disturbance int

const (
	oneReplica   disturbance = iota // A replica is killed, stopped or cut off.
	allReplicas                     // All of them are, or Redis is unavailable.
	dataLost                        // Redis loses its data, or its process.
	claimsLost                      // Redis loses its data, and its process stays: replicas do not notice.
	upstreamBad                     // The upstream fails.
	upstreamSlow                    // The network to the upstream delays.
)

// disturbances are the times of faults.
type disturbances struct {
	mu    sync.Mutex
	spans []span // guarded by mu
}

// span is one fault; it goes on while to is zero.
type span struct {
	kind     disturbance
	from, to time.Time
}

// begin records a fault of some kinds until over is called.
func (d *disturbances) begin(kinds ...disturbance) (over func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	first := len(d.spans)
	for _, kind := range kinds {
		d.spans = append(d.spans, span{kind: kind, from: time.Now()})
	}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		for n := range kinds {
			d.spans[first+n].to = time.Now()
		}
	}
}

// any reports whether a fault of one of the kinds had an effect between two times: it has for
// lasting after its end.
func (d *disturbances) any(from, to time.Time, lasting time.Duration, kinds ...disturbance) bool {
	return d.count(from, to, lasting, kinds...) > 0
}

func (d *disturbances) count(from, to time.Time, lasting time.Duration, kinds ...disturbance) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.spans {
		ended := !s.to.IsZero() && s.to.Add(lasting).Before(from)
		if slices.Contains(kinds, s.kind) && !ended && s.from.Before(to) {
			n++
		}
	}
	return n
}
