package upstream

import "time"

// addRate is a number of adds within a sliding window.
type addRate struct {
	limit int
	span  time.Duration
}

// rate returns the rate of the adds that this process sends alone. Of several processes each
// sends its part in any one second, rounded down.
func (p *addPacer) rate() addRate {
	processes := 1
	if p.turns != nil {
		processes = max(1, p.turns.Forecast().Alone)
	}
	windows := (processes + addsPerWindow - 1) / addsPerWindow
	return addRate{limit: max(1, addsPerWindow/processes), span: time.Duration(windows) * addWindow}
}

// shares reports whether the turns come from all processes together.
func (p *addPacer) shares() bool { return p.turns != nil && p.turns.Forecast().Alone == 0 }

// start connects the pacer with the turns of all processes.
func (p *addPacer) start(turns AddTurns) {
	p.turns = turns
	turns.Start(p.turnsChanged)
}

// turnsChanged grants adds for the turns that have come. When other processes begin to take
// turns, it checks all deadlines.
func (p *addPacer) turnsChanged() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if every := p.turns.Forecast().Every; every != p.every {
		p.every = every
		p.rejectLate(now, p.queue.len())
	}
	p.grantDue(now)
}

// want reports to the other processes whether an add waits.
func (p *addPacer) want() {
	if p.turns != nil {
		p.turns.Want(p.queue.len() > 0)
	}
}

// take returns the grant of the next add, or nil if it must wait.
func (p *addPacer) take(now time.Time) *grant {
	if p.shares() {
		if turn, ok := p.turns.Take(); ok {
			return &grant{turn: turn}
		}
		return nil
	}
	if p.estimate(now)(0).After(now) {
		return nil
	}
	if p.turns != nil {
		return &grant{turn: p.turns.Unshared()}
	}
	return &grant{}
}

// estimate returns a function for the time at which the add at a position is granted, if the
// queue before it does not change: when enough earlier grants are out of the window.
func (p *addPacer) estimate(now time.Time) (at func(position int) time.Time) {
	times := p.grantTimes(now)
	if !p.shares() {
		return p.rate().estimate(times, now)
	}
	return p.turns.Forecast().At(now)
}

// At returns a function for the time of a turn of this process, if the other processes go on as
// they do now.
func (f Forecast) At(now time.Time) func(position int) time.Time {
	at := addRate{addsPerWindow, SharedAddWindow}.estimate(f.times(now), now)
	return func(position int) time.Time { return at(f.Ahead + position*max(1, f.Every)) }
}

// times returns the times for which the adds of all processes count, in order.
func (f Forecast) times(now time.Time) (times []time.Time) {
	for _, at := range f.Sent {
		if now.Sub(at) < SharedAddWindow {
			times = append(times, at)
		}
	}
	for range f.Unsent {
		times = append(times, now)
	}
	return times
}

// estimate returns a function for the time of the turn after a number of others, if adds have
// left at the given times.
func (r addRate) estimate(times []time.Time, now time.Time) (at func(position int) time.Time) {
	free := max(0, r.limit-len(times))
	times = times[max(0, len(times)-r.limit):]
	return func(position int) time.Time {
		windows := position / r.limit
		at := now
		if n := position%r.limit - free; n >= 0 {
			at = latest(now, times[n].Add(r.span))
		}
		return at.Add(time.Duration(windows) * r.span)
	}
}
