package sharedpace

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/upstream"
)

const (
	// addsPerWindow is A3's ten.
	addsPerWindow = 10
	// openFor is how long a turn counts after the last call of its replica, if it was neither
	// reported as sent nor returned: longer than the window, since it may have been sent.
	openFor = 2500 * time.Millisecond
	// confirmEvery is how often a replica confirms its open turns.
	confirmEvery = 500 * time.Millisecond
	// seenFor is how long a replica waits for a turn after its last call, and callEvery how often
	// one calls that waits.
	seenFor   = time.Second
	callEvery = 250 * time.Millisecond
	// forecastFor is how long the number of replicas that wait is thought to be the same.
	forecastFor = 2 * time.Second
)

// adds implements upstream.AddTurns.
type adds struct {
	options Options
	turns   *turns[string]

	mu sync.Mutex
	// numbered is the number of turns that were named.
	numbered int
	// open are the turns that were taken and whose adds are neither sent nor returned. sent and
	// returned are the others that Redis does not know yet.
	open     map[string]struct{}
	sent     map[string]time.Time
	returned []string
	// forecast is what Redis answered last, at a time.
	forecast   upstream.Forecast
	forecastAt time.Time
}

func newAdds(options Options) *adds {
	a := &adds{options: options, turns: newTurns[string](options), open: map[string]struct{}{}, sent: map[string]time.Time{}}
	a.turns.ask, a.turns.discard = a.ask, a.giveBack
	a.turns.returnAfter, a.turns.waitsOn = upstream.SharedAddWindow, true
	return a
}

// Start implements upstream.AddTurns.
func (a *adds) Start(changed func()) { a.turns.start(changed) }

// Want implements upstream.AddTurns.
func (a *adds) Want(waits bool) { a.turns.want(waits, false) }

// Take implements upstream.AddTurns.
func (a *adds) Take() (upstream.Turn, bool) {
	id, ok := a.turns.take()
	if !ok {
		return nil, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open[id] = struct{}{}
	return &turn{adds: a, id: id}, true
}

// Unshared implements upstream.AddTurns.
func (a *adds) Unshared() upstream.Turn {
	a.mu.Lock()
	defer a.mu.Unlock()
	return &turn{adds: a, id: a.newID()}
}

// Forecast implements upstream.AddTurns.
func (a *adds) Forecast() upstream.Forecast {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.forecast
	f.Alone = a.turns.alone()
	if time.Since(a.forecastAt) > forecastFor {
		f.Ahead, f.Every, f.Unsent = 0, 1, 0
	}
	return f
}

// newID names a turn. The lock is held.
func (a *adds) newID() string {
	a.numbered++
	return a.options.Replica + ":" + strconv.Itoa(a.numbered)
}

// turn implements upstream.Turn.
type turn struct {
	adds *adds
	id   string
}

// Sent implements upstream.Turn.
func (t *turn) Sent() {
	t.adds.mu.Lock()
	delete(t.adds.open, t.id)
	t.adds.sent[t.id] = time.Now()
	t.adds.mu.Unlock()
	t.adds.turns.callNow()
}

// Return implements upstream.Turn.
func (t *turn) Return() { t.adds.giveBack(t.id) }

// giveBack gives back a turn that is not used.
func (a *adds) giveBack(id string) {
	a.mu.Lock()
	delete(a.open, id)
	a.returned = append(a.returned, id)
	a.mu.Unlock()
	a.turns.callNow()
}

// ask reports what became of turns, and asks for one if want is true.
func (a *adds) ask(ctx context.Context, want bool) (answer[string], error) {
	began := time.Now()
	r := a.takeReport(began, want)
	values, err := a.options.run(ctx, addsScript, a.keys(), append([]any{
		a.options.Replica, addsPerWindow, micros(upstream.SharedAddWindow), micros(upstream.AddsOver), micros(openFor),
		micros(seenFor), lifetime.Milliseconds(), r.asked,
	}, r.args...)...)
	if err != nil {
		a.restore(r)
		return answer[string]{}, err
	}
	return a.record(values, r.asked, began), nil
}

func (a *adds) keys() []string {
	o := a.options
	return []string{o.key("sent"), o.key("open"), o.key("queue"), o.key("seen")}
}

// report is what one call reports to Redis of the turns.
type report struct {
	// asked is the turn that is asked for, or empty.
	asked    string
	args     []any
	sent     map[string]time.Time
	returned []string
}

// takeReport takes what Redis does not know yet.
func (a *adds) takeReport(now time.Time, want bool) report {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := report{sent: a.sent, returned: a.returned}
	if want {
		r.asked = a.newID()
	}
	a.sent, a.returned = map[string]time.Time{}, nil
	r.args = append(r.args, len(r.sent))
	for id, at := range r.sent {
		r.args = append(r.args, id, micros(now.Sub(at)))
	}
	r.args = append(r.args, len(r.returned))
	for _, id := range r.returned {
		r.args = append(r.args, id)
	}
	for id := range a.open {
		r.args = append(r.args, id)
	}
	return r
}

// restore keeps what a failed call may not have reported, and returns the turn that it may have
// got. What is old matters no more.
func (a *adds) restore(r report) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, at := range r.sent {
		if _, later := a.sent[id]; !later && time.Since(at) < upstream.AddsOver {
			a.sent[id] = at
		}
	}
	if len(a.returned) < addsPerWindow {
		a.returned = append(a.returned, r.returned...)
		if r.asked != "" {
			a.returned = append(a.returned, r.asked)
		}
	}
}

// record records the reply of the script, and returns when to ask again.
func (a *adds) record(values []any, asked string, began time.Time) answer[string] {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	atRedis := began.Add(now.Sub(began) / 2)
	granted := integer(values, 0) == 1
	f := upstream.Forecast{Ahead: int(integer(values, 1)), Every: int(integer(values, 2)), Unsent: int(integer(values, 3))}
	if asked == "" {
		f.Every++ // This replica is not among those that wait.
	}
	for i := 4; i < len(values); i++ {
		f.Sent = append(f.Sent, atRedis.Add(-duration(values, i)))
	}
	a.forecast, a.forecastAt = f, now
	if granted {
		return answer[string]{granted: true, turn: asked}
	}
	return answer[string]{wait: min(callEvery, f.At(now)(0).Sub(now)+time.Millisecond)}
}

// confirm confirms the open turns until ctx ends.
func (a *adds) confirm(ctx context.Context) {
	ticker := time.NewTicker(confirmEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		a.mu.Lock()
		open := len(a.open) > 0
		a.mu.Unlock()
		if open {
			a.turns.callNow()
		}
	}
}
