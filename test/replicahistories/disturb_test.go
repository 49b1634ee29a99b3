package replicahistories_test

import (
	"time"

	"github.com/audian/participant-gateway/internal/replica/redistest"
)

func (w *world) killReplica() { w.killOne(w.any()) }

// killPoller kills the replica that polls: another takes over in time (R3).
func (w *world) killPoller() {
	w.waitForLists()
	r := w.poller()
	if r == nil {
		return
	}
	watched := w.watchedElsewhere(r)
	w.depart(r, "kill the poller")
	r.kill()
	w.seen.add(killed)
	if watched {
		w.polls.movesWithin(r, 3*time.Second+maxInterval, takenOver)
	}
	w.replace(w.slotOf(r), r.version, 0)
	w.reconnect()
}

// watchedElsewhere reports whether another replica of the version has watchers.
func (w *world) watchedElsewhere(r *replica) bool {
	for _, c := range w.clients {
		if s := c.current(); s != nil && s.replica != r && s.replica.version == r.version && !s.replica.isGone() {
			return true
		}
	}
	return false
}

func (w *world) killOne(r *replica) {
	slot := w.slotOf(r)
	w.depart(r, "kill")
	r.kill()
	w.seen.add(killed)
	if w.random.IntN(2) == 0 {
		w.wait(time.Duration(w.random.IntN(1000)) * time.Millisecond)
	}
	w.replace(slot, r.version, 0)
	w.reconnect()
}

// drainReplica stops the replica that polls in an orderly way: another goes on in time (R4).
func (w *world) drainReplica() {
	w.waitForLists()
	r := w.poller()
	if r == nil {
		return
	}
	watched := w.watchedElsewhere(r)
	w.depart(r, "drain")
	r.drain()
	w.seen.add(drained)
	if watched {
		w.polls.movesWithin(r, maxInterval+300*time.Millisecond, handedOver)
	}
	w.replace(w.slotOf(r), r.version, 0)
	w.reconnect()
}

func (w *world) pauseReplica() { w.pauseOne(w.any()) }

func (w *world) pausePoller() {
	w.waitForLists()
	if r := w.poller(); r != nil {
		w.pauseOne(r)
	}
}

// pauseOne stops a replica like SIGSTOP, often for longer than a lease lasts.
func (w *world) pauseOne(r *replica) {
	w.until(time.Second, func() bool { return w.polls.reading(r) }) // Its list is old when it goes on.
	w.depart(r, "pause")
	r.gate.pause()
	r.proxy.Stall()
	w.seen.add(paused)
	for end := time.Now().Add(time.Duration(500+w.random.IntN(4500)) * time.Millisecond); time.Until(end) > 0 && w.failed() == nil; {
		w.step()
	}
	w.depart(r, "resume")
	r.proxy.Restore()
	r.gate.resume()
}

// cutReplica takes Redis from a replica for a time.
func (w *world) cutReplica() {
	r := w.any()
	w.cut(r)
	for end := time.Now().Add(time.Duration(500+w.random.IntN(2000)) * time.Millisecond); time.Until(end) > 0 && w.failed() == nil; {
		w.step()
	}
	w.disturbf("restore %s", r.name)
	r.proxy.Restore()
}

func (w *world) cut(r *replica) {
	if w.random.IntN(2) == 0 {
		w.depart(r, "cut")
		r.proxy.Cut()
	} else {
		w.depart(r, "stall Redis of")
		r.proxy.Stall()
	}
	w.seen.add(cutOff)
}

// cutLong takes Redis from a replica until its streams must be stale, and brings it a token that it
// cannot judge (R8).
func (w *world) cutLong() {
	r, elsewhere := w.replicas[0], w.replicas[1]
	for i, c := range w.clients {
		c.close()
		c.open(w.replicas[i%2], false)
	}
	w.until(5*time.Second, func() bool { return w.allHaveState() })
	w.cut(r)
	at := time.Now()
	for range 3 {
		w.call(elsewhere, w.newAdd(true))
		w.wait(300 * time.Millisecond)
	}
	w.clients[1].close()
	w.clients[1].open(r, false)
	w.wait(5*time.Second + slack - time.Since(at))
	w.checkStale(r, at)
	w.disturbf("restore %s", r.name)
	r.proxy.Restore()
}

// allHaveState reports whether all streams have begun.
func (w *world) allHaveState() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.clients {
		if c.stream == nil || !c.stream.hasState {
			return false
		}
	}
	return true
}

// checkStale fails if a stream of a replica that has been cut off since a time is not stale.
func (w *world) checkStale(r *replica, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.clients {
		s := c.stream
		if s == nil || s.replica != r || s.opened.After(at) {
			continue
		}
		w.seen.add(staleWhileAway)
		if !s.stale {
			w.failLocked(c.name, errNotStale)
		}
	}
}

func (w *world) delayReplica() {
	r, delay := w.any(), time.Duration(20+w.random.IntN(150))*time.Millisecond
	w.disturbf("delay %s by %s", r.name, delay)
	r.proxy.Delay(delay)
	w.seen.add(delayed)
	for range 4 {
		w.step()
	}
	r.proxy.Restore()
}

// flap cuts the connections of all replicas a few times.
func (w *world) flap() {
	for range 4 {
		r := w.any()
		w.depart(r, "reset the connections of")
		r.proxy.Cut()
		w.step()
		r.proxy.Restore()
	}
	w.seen.add(cutOff)
}

func (w *world) flush() {
	w.disturbf("flush Redis")
	w.lose(true)
	w.redis.Flush()
	w.seen.add(flushed)
}

func (w *world) restartEmpty() { w.restart(false, restartedEmpty) }

func (w *world) restartWithData() { w.restart(true, restartedWithData) }

func (w *world) restart(keepData bool, what string) {
	w.disturbf("restart Redis, with its data: %t", keepData)
	w.lose(false)
	w.redis.Kill()
	if !keepData {
		w.redis.Erase()
	}
	if w.random.IntN(2) == 0 {
		w.step()
	}
	w.redis.Run()
	w.lose(false)
	w.seen.add(what)
}

// failover replaces Redis by a copy that lacks what came last.
func (w *world) failover() {
	older := redistest.Start(w.t, redistest.Options{AppendOnly: true, Config: []string{"rdbcompression no"}})
	older.ReplicaOf(w.redis)
	older.Promote()
	w.notef("a copy of Redis stays behind")
	for range 2 {
		w.step()
	}
	w.disturbf("fail over to the older copy")
	w.lose(false)
	w.redis.Kill()
	w.redis = older
	for _, r := range w.replicas {
		r.proxy.Retarget(older.Addr())
	}
	w.seen.add(failedOver)
}

// otherVersion replaces a replica by one of the other version (R11).
func (w *world) otherVersion() {
	r := w.any()
	slot := w.slotOf(r)
	w.depart(r, "replace by the other version")
	r.drain()
	w.replace(slot, 1-r.version, 0)
	w.reconnect()
	w.seen.add(twoVersions)
}

// skewReplica replaces a replica by one whose clock is wrong by a minute (R12).
func (w *world) skewReplica() {
	r := w.any()
	slot := w.slotOf(r)
	w.depart(r, "replace by one with a wrong clock")
	r.kill()
	w.replace(slot, r.version, time.Duration(1-2*w.random.IntN(2))*time.Minute)
	w.reconnect()
	w.seen.add(skewed)
}

// restartAll replaces all replicas: the log goes on in Redis (R2).
func (w *world) restartAll() {
	for _, c := range w.clients {
		c.close()
	}
	for slot, r := range w.replicas {
		w.depart(r, "restart, as all others,")
		if w.random.IntN(2) == 0 {
			r.kill()
		} else {
			r.drain()
		}
		w.replace(slot, r.version, 0)
	}
	w.reconnect()
	w.seen.add(allRestarted)
}
