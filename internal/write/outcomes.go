package write

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// Outcomes are remembered this long (A2), and this many at most.
const (
	outcomesFor = 10 * time.Minute
	maxOutcomes = 1 << 16
)

// request is what makes two adds the same (A2). Without an id it is like no other.
type request struct {
	caller string
	key    participant.Key
	id     string
}

// outcomes are the dials that a request id still leads to: those under way, and
// those that may have dialled. Writer.mu guards them.
type outcomes struct {
	underWay map[request]*dial
	finished recent[request, *dial]
}

func newOutcomes() outcomes {
	return outcomes{
		underWay: make(map[request]*dial),
		finished: newRecent[request, *dial](outcomesFor, maxOutcomes),
	}
}

// find returns the dial that the request has led to, or nil.
func (o *outcomes) find(r request, now time.Time) *dial {
	if d, found := o.underWay[r]; found {
		return d
	}
	d, _ := o.finished.get(r, now)
	return d
}

func (o *outcomes) begin(d *dial) {
	if d.request.id != "" {
		o.underWay[d.request] = d
	}
}

// finish remembers the outcome of a dial that was begun and not forgotten, unless it
// surely did not dial.
func (o *outcomes) finish(d *dial, now time.Time) {
	if o.underWay[d.request] != d {
		return
	}
	delete(o.underWay, d.request)
	if d.err == nil || d.err.Dialled == participant.DialledUnknown {
		o.finished.put(d.request, d, now)
	}
}

// forget makes the request id free for a new dial.
func (o *outcomes) forget(d *dial) {
	if o.underWay[d.request] == d {
		delete(o.underWay, d.request)
	}
}
