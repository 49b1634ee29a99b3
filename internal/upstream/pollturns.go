package upstream

import (
	"cmp"
	"slices"
	"time"
)

// pageAge is how much longer than its list the next page of a list waits for other processes:
// it goes before the first page of another list.
const pageAge = time.Hour

// intervalStep is the precision of the intervals that other processes hear of.
const intervalStep = 50 * time.Millisecond

// start connects the budget with the turns of all processes.
func (b *budget) start(turns PollTurns) {
	b.turns = turns
	turns.Start(PollListener{Changed: b.turnsChanged, Updated: b.update, Demand: b.demand})
}

func (b *budget) turnsChanged() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.grantDue(0)
}

// shares reports whether the turns come from all processes together. If they do not, it adopts
// this process's part of the rate.
func (b *budget) shares() bool {
	if b.turns == nil {
		return false
	}
	alone := b.turns.Alone()
	b.rate.shared, b.rate.divisor = alone == 0, float64(max(1, alone))
	return b.rate.shared
}

// grantTurns grants the requests whose turns have come.
func (b *budget) grantTurns(now time.Time) {
	for {
		kind, ok := b.turns.Take()
		if !ok {
			break
		}
		if r := cmp.Or(b.queue.nextOf(kind), b.queue.next(now.Before(b.rate.paused))); r != nil {
			b.last = now
			b.grant(r, now)
		}
	}
	b.want()
}

// want reports to the other processes what waits.
func (b *budget) want() {
	if b.turns != nil {
		b.turns.Want(b.queue.oldest())
	}
}

// limit reports to the other processes that the upstream's own limit is near or reached.
func (b *budget) limit(pause time.Duration) {
	if b.turns != nil {
		b.turns.Limit(min(pause, longestPause), true)
	}
}

// update adopts what all processes know.
func (b *budget) update(c Common) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.rate.merge(c, now)
	if pause, halve := b.rate.unknownTo(c, now); pause > 0 || halve {
		b.turns.Limit(pause, halve)
	}
	for _, other := range c.Others {
		b.mostTokens = max(b.mostTokens, other.MostTokens)
	}
	b.fair.invalidate()
	b.grantDue(0)
}

// demand returns what this process wants.
func (b *budget) demand() Demand {
	b.mu.Lock()
	defer b.mu.Unlock()
	pages := map[time.Duration]int{}
	for _, s := range b.sources {
		pages[s.minInterval().Round(intervalStep)] += s.pages
	}
	d := Demand{Ahead: b.rate.ahead.valueAt(time.Now()), MostTokens: b.mostTokens}
	for every, n := range pages {
		d.Lists = append(d.Lists, Lists{Every: every, Pages: n})
	}
	slices.SortFunc(d.Lists, func(x, y Lists) int { return cmp.Compare(x.Every, y.Every) })
	return d
}

// allSources returns the sources, and one for each of the lists that other processes want.
func (b *budget) allSources() []*Source {
	if !b.rate.shared {
		return b.sources
	}
	all := slices.Clone(b.sources)
	for _, other := range b.rate.common.Others {
		for _, lists := range other.Lists {
			all = append(all, &Source{want: lists.Every, pages: lists.Pages})
		}
	}
	return all
}

// nextOf returns the request of a kind to grant next, or nil.
func (q *pollQueue) nextOf(kind PollKind) *pollRequest {
	nextPage := priority(kind) << 1
	return q.firstOf(nextPage, nextPage+1)
}

// oldest returns since when the request of each kind waits that is granted next.
func (q *pollQueue) oldest() (w Waiting) {
	for kind := range PollKinds {
		r := q.nextOf(kind)
		if r == nil {
			continue
		}
		w[kind] = r.since
		if r.priority.nextPage() == r.priority {
			w[kind] = r.since.Add(-pageAge)
		}
	}
	return w
}
