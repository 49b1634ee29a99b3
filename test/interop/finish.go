package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
)

// settle waits until the gateway's roster is that of the upstream.
func (p *player) settle(ctx context.Context) error {
	for {
		truth, changed := p.truth.current()
		found := differences(p.world.upstream.Participants(p.step.conference()), truth.last())
		if len(found) == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("the gateway's roster differs from the upstream: %s", strings.Join(found, "; "))
		}
	}
}

// finish ends the watches that are open, and checks everything that the client printed in the step.
func (p *player) finish(ctx context.Context) []string {
	var found []string
	for _, id := range p.watches {
		if err := p.endWatch(ctx, id); err != nil {
			found = append(found, fmt.Sprintf("%s: %v", id, err))
		}
	}
	found = append(found, p.checkWatches(time.Now())...)
	return append(found, dialledTwice(p.world.upstream.Dials(), p.step.conference())...)
}

// endWatch waits until an open watch has the present roster, and stops it.
func (p *player) endWatch(ctx context.Context, id string) error {
	if p.ended || p.isFinal(id) {
		return nil
	}
	if err := p.reach(ctx, id); err != nil {
		return err
	}
	stop := move{
		Send:   message{"id": "stop-" + id, "call": "stop", "watch": id},
		Expect: message{"ok": true},
	}
	if err := p.move(ctx, 0, stop); err != nil {
		return err
	}
	n := len(p.program.of(p.longID(id)))
	p.used[id] = max(0, n-1)
	return p.move(ctx, 0, move{Await: message{"id": id, "done": true}, Within: 2})
}

func (p *player) isFinal(id string) bool {
	lines := p.program.of(p.longID(id))
	return len(lines) > 0 && lines[len(lines)-1].final()
}

// reach waits until a watch has the present roster of the conference.
func (p *player) reach(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, defaultWithin)
	defer cancel()
	if err := p.settle(ctx); err != nil {
		return err
	}
	truth, _ := p.truth.current()
	want := filterOf(p.commands[id]).view(truth.last()).words
	lines := p.program.of(p.longID(id))
	for n := max(0, len(lines)-1); ; n++ {
		l, err := p.program.line(ctx, p.longID(id), n)
		if errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("does not reach the roster %s", show(want))
		}
		if err != nil {
			return err
		}
		if maps.Equal(want, l.state.Roster) {
			return nil
		}
	}
}

// checkWatches compares every watch of the step with the truth.
func (p *player) checkWatches(until time.Time) []string {
	if p.truth == nil {
		return nil
	}
	truth, _ := p.truth.current()
	checks := map[string]*watchCheck{}
	var found []string
	for _, id := range p.watches {
		command := p.commands[id]
		if command["conference"] != p.step.conference() {
			continue
		}
		check := newWatchCheck(truth, filterOf(command))
		if earlier, ok := command["continue"].(string); ok && checks[earlier] != nil {
			check.resume(checks[earlier])
		}
		lines := p.program.of(p.longID(id))
		problems := append(check.check(lines), claimsDiffer(claimsOf(lines), truth.claims, until)...)
		for _, problem := range problems {
			found = append(found, id+": "+problem)
		}
		checks[id] = check
	}
	return found
}
