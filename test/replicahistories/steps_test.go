package replicahistories_test

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// steps contains each step of the upstream and the clients as often as its weight.
var steps = []func(*world){
	(*world).join, (*world).join, (*world).setStatus, (*world).setStatus, (*world).setStatus, (*world).leave,
	(*world).add, (*world).add, (*world).addTwice, (*world).addTwice, (*world).retryAdd, (*world).addMany,
	(*world).remove, (*world).remove, (*world).control, (*world).control, (*world).hop, (*world).hop, (*world).hop,
	(*world).forget, (*world).injectFault,
}

var statuses = []string{"dialing", "connected", "held", "disconnected", "rejected", "whispering"}

func (w *world) join() {
	n := w.random.IntN(6)
	id := fmt.Sprintf("p%d", n)
	w.upstream.RemoveParticipant(conference, id)
	w.upstream.AddParticipant(conference, simulator.Participant{
		ID: id, Status: statuses[w.random.IntN(3)], Role: []string{"listener", "presenter"}[w.random.IntN(2)], Name: fmt.Sprintf("Person %d", n),
	})
}

func (w *world) setStatus() {
	if id := w.someone(); id != "" {
		w.upstream.SetStatus(conference, id, statuses[w.random.IntN(len(statuses))])
	}
}

func (w *world) leave() { w.upstream.RemoveParticipant(conference, w.someone()) }

// someone returns the id of a participant, empty if there is none.
func (w *world) someone() string {
	people := w.upstream.Participants(conference)
	if len(people) == 0 {
		return ""
	}
	return people[w.random.IntN(len(people))].ID
}

// any returns a replica that runs.
func (w *world) any() *replica { return w.replicas[w.random.IntN(slots)] }

// hop makes a client go on at another replica.
func (w *world) hop() {
	c := w.clients[w.random.IntN(watchers)]
	c.close()
	if w.random.IntN(3) == 0 {
		w.wait(time.Duration(w.random.IntN(300)) * time.Millisecond)
	}
	c.open(w.any(), false)
}

// forget makes a client begin without a token.
func (w *world) forget() {
	c := w.clients[w.random.IntN(watchers)]
	c.close()
	c.open(w.any(), true)
}

var upstreamFaults = []simulator.Fault{
	{Kind: simulator.FaultStatus, Status: http.StatusServiceUnavailable, Body: simulator.HTMLBody, Operation: simulator.List, Times: 2},
	{Kind: simulator.FaultCut, Operation: simulator.List, Times: 1},
	{Kind: simulator.FaultLatency, Latency: 300 * time.Millisecond, Operation: simulator.List, Times: 2},
	{Kind: simulator.FaultLost, Operation: simulator.Add, Times: 1},
	{Kind: simulator.FaultLatency, Latency: 400 * time.Millisecond, Operation: simulator.Add, Times: 1},
}

func (w *world) injectFault() {
	fault := upstreamFaults[w.random.IntN(len(upstreamFaults))]
	w.notef("fault: %s of %s", fault.Kind, fault.Operation)
	w.upstream.Inject(fault)
}

// reconnect opens the streams of the clients whose replica is gone.
func (w *world) reconnect() {
	for _, c := range w.clients {
		if s := c.current(); s == nil || s.replica.isGone() {
			c.close()
			c.open(w.any(), false)
		}
	}
}

func (c *client) current() *stream {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	return c.stream
}

// isGone reports whether the replica was killed or drained.
func (r *replica) isGone() bool {
	return !slices.Contains(r.world.replicas, r)
}

// closeStreams closes the streams at a replica.
func (w *world) closeStreams(r *replica) {
	for _, c := range w.clients {
		if s := c.current(); s != nil && s.replica == r {
			c.close()
		}
	}
}

// wait lets time pass, and looks for streams that are silent.
func (w *world) wait(d time.Duration) {
	for end := time.Now().Add(d); time.Until(end) > 0 && w.failed() == nil; {
		<-time.After(min(time.Until(end), 50*time.Millisecond))
		w.mu.Lock()
		for _, c := range w.clients {
			if c.stream != nil {
				w.failLocked(c.name, c.stream.silence())
			}
		}
		w.mu.Unlock()
	}
}

// disturbances are what happens to the replicas and Redis.
var disturbances = []func(*world){
	(*world).killReplica, (*world).pauseReplica, (*world).failover, (*world).flush, (*world).cutReplica, (*world).drainReplica,
	(*world).restartEmpty, (*world).otherVersion, (*world).killPoller, (*world).restartWithData, (*world).delayReplica,
	(*world).skewReplica, (*world).restartAll, (*world).pausePoller, (*world).flap, (*world).cutLong,
}

// waitForLists waits until a replica of version 0 polls.
func (w *world) waitForLists() {
	w.until(4*time.Second, func() bool { return w.poller() != nil })
}

// until waits at most for a time until a condition holds.
func (w *world) until(limit time.Duration, holds func() bool) bool {
	for end := time.Now().Add(limit); !holds(); {
		if time.Now().After(end) || w.failed() != nil {
			return false
		}
		w.wait(20 * time.Millisecond)
	}
	return true
}

// poller returns the replica of version 0 that polls, nil if none does.
func (w *world) poller() *replica {
	for _, r := range w.replicas {
		if r.version == 0 && r.polls() {
			return r
		}
	}
	return nil
}

// slotOf returns the slot of a replica.
func (w *world) slotOf(r *replica) int { return slices.Index(w.replicas, r) }
