package sharedpace

import (
	"context"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/upstream"
)

// pollAhead is how long before its time a turn is given, so that most polls need one call.
const pollAhead = 150 * time.Millisecond

// polls implements upstream.PollTurns.
type polls struct {
	options  Options
	turns    *turns[upstream.PollKind]
	listener upstream.PollListener
	// sendNow has an element if limits are to be sent at once, before the next demand is due.
	sendNow chan struct{}

	mu     sync.Mutex
	waits  upstream.Waiting
	limits []limit
}

type limit struct {
	pause time.Duration
	halve bool
	at    time.Time
}

func newPolls(options Options) *polls {
	p := &polls{options: options, turns: newTurns[upstream.PollKind](options), sendNow: make(chan struct{}, 1)}
	p.turns.ask = p.ask
	return p
}

// Start implements upstream.PollTurns.
func (p *polls) Start(listener upstream.PollListener) {
	p.mu.Lock()
	p.listener = listener
	p.mu.Unlock()
	p.turns.start(listener.Changed)
}

// Alone implements upstream.PollTurns.
func (p *polls) Alone() int { return p.turns.alone() }

// Want implements upstream.PollTurns.
func (p *polls) Want(waits upstream.Waiting) {
	p.mu.Lock()
	before := p.waits
	p.waits = waits
	p.mu.Unlock()
	p.turns.want(waits != upstream.Waiting{}, isUrgent(before, waits))
}

// isUrgent reports whether a request waits that goes before those that waited.
func isUrgent(before, waits upstream.Waiting) bool {
	for kind, since := range waits {
		switch {
		case since.IsZero() && before[kind].IsZero():
		case !since.IsZero() && (before[kind].IsZero() || since.Before(before[kind])):
			return true
		default:
			return false
		}
	}
	return false
}

// Take implements upstream.PollTurns.
func (p *polls) Take() (upstream.PollKind, bool) {
	return p.turns.take()
}

// ask asks for a turn, or reports that nothing waits.
func (p *polls) ask(ctx context.Context, want bool) (answer[upstream.PollKind], error) {
	o := p.options
	args := []any{o.Replica, o.PollRate, lifetime.Milliseconds(), micros(pollAhead)}
	values, err := o.run(ctx, pollsScript, []string{o.key("account"), o.key("pollqueue"), o.key("sent")},
		append(args, p.ages(want)...)...)
	if err != nil {
		return answer[upstream.PollKind]{}, err
	}
	kind := integer(values, 0)
	return answer[upstream.PollKind]{granted: kind > 0, turn: upstream.PollKind(kind - 1), wait: duration(values, 1)}, nil
}

// ages returns how long the requests of each kind wait, -1 for none.
func (p *polls) ages(want bool) (ages []any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, since := range p.waits {
		age := int64(-1)
		if want && !since.IsZero() {
			age = micros(max(0, time.Since(since)))
		}
		ages = append(ages, age)
	}
	return ages
}

// Limit implements upstream.PollTurns.
func (p *polls) Limit(pause time.Duration, halve bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limits = append(p.limits, limit{pause, halve, time.Now()})
	select {
	case p.sendNow <- struct{}{}:
	default:
	}
}
