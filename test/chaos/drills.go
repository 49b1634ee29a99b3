package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// drill is one kind of trouble, made under load. It fails where it did not do what it
// is for; what the gateway does about it is for the watchers and writers to say.
type drill struct {
	name string
	run  func(ctx context.Context, w *world, chance *rand.Rand) error
}

// drills are all there are.
func drills() []drill {
	all := slices.Grow([]drill{
		{"vendor killed amid its answers", killVendor},
		{"network delays", network(func(c *rand.Rand) weather {
			return weather{delay: time.Duration(50+c.IntN(400)) * time.Millisecond}
		}, "proxy delayed")},
		{"network trickles", network(func(c *rand.Rand) weather { return weather{trickle: 20 + c.IntN(100)} }, "proxy trickled")},
		{"network cuts", network(func(*rand.Rand) weather { return weather{cut: true} }, "proxy cut")},
		{"gateway killed", killGateway},
		{"gateway drained", drainGateway},
		{"gateway frozen", freezeGateway},
		{"streams opened and closed", openAndClose},
		{"vendor's clock jumps", jumpClock},
		{"conference ends", endConference},
	}, len(kinds))
	for _, kind := range kinds {
		all = append(all, drill{"vendor: " + string(kind), strike(kind)})
	}
	return all
}

// between is how many drills go by until the world comes to rest.
const between = 5

// drill goes through the drills in an order of its own, again and again until the time
// is over. Beside them all, from the start, somebody does not read.
func (w *world) drill(ctx context.Context, out io.Writer) error {
	chance := w.chance(forDrills)
	until := time.Now().Add(time.Duration(w.settings.seconds) * time.Second)
	heard := make(chan struct{})
	go func() {
		w.outcome("clients that never read", w.ignore(ctx))
		close(heard)
	}()
	over := func() bool { return time.Now().After(until) && isClosed(heard) || ctx.Err() != nil }
	for round := 0; round == 0 || !over(); round++ {
		w.pass(ctx, chance, out, func() bool { return round > 0 && over() })
	}
	<-heard
	w.settle(ctx)
	if ctx.Err() != nil {
		return fmt.Errorf("the run did not come to its end: %w", context.Cause(ctx))
	}
	return nil
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// pass runs every drill once, unless it is over before.
func (w *world) pass(ctx context.Context, chance *rand.Rand, out io.Writer, over func() bool) {
	all := drills()
	chance.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for n, d := range all {
		if over() || ctx.Err() != nil {
			return
		}
		began := time.Now()
		w.outcome(d.name, d.run(ctx, w, chance))
		_, _ = fmt.Fprintf(out, "%-34s %5.1f s\n", d.name, time.Since(began).Seconds())
		if n%between == between-1 {
			w.settle(ctx)
		}
	}
}

func (w *world) outcome(name string, err error) {
	w.tally.drill(name)
	if err != nil {
		w.tally.brokenf(drillsThatFailed, "%s: %v", name, err)
	}
}

// eventually waits until something is so.
func eventually(ctx context.Context, within time.Duration, is func() bool) bool {
	for late := time.Now().Add(within); time.Now().Before(late) && ctx.Err() == nil; pause(ctx, 20*time.Millisecond) {
		if is() {
			return true
		}
	}
	return is()
}

// network has the weather for a while.
func network(draw func(*rand.Rand) weather, kind string) func(context.Context, *world, *rand.Rand) error {
	return func(ctx context.Context, w *world, chance *rand.Rand) error {
		before := w.tally.struck(kind)
		w.network.turn(draw(chance))
		defer w.network.turn(weather{})
		pause(ctx, 2*time.Second)
		if !eventually(ctx, 6*time.Second, func() bool { return w.tally.struck(kind) > before }) {
			return fmt.Errorf("no answer came through to be %s", kind)
		}
		return nil
	}
}

// killVendor ends the vendor while answers are under way, and brings it back later.
func killVendor(ctx context.Context, w *world, chance *rand.Rand) error {
	w.network.turn(weather{trickle: 16})
	defer w.network.turn(weather{})
	caught := eventually(ctx, 6*time.Second, func() bool { return w.network.underWay.Load() > 0 })
	w.vendor.kill()
	w.network.cutAll()
	w.tally.fault("vendor killed")
	pause(ctx, time.Duration(chance.IntN(7000))*time.Millisecond)
	if err := w.vendor.revive(ctx); err != nil {
		return err
	}
	if !caught {
		return errors.New("no answer was under way")
	}
	return nil
}

// jumpClock sets the vendor's clock, as far as its answers show it.
func jumpClock(ctx context.Context, w *world, _ *rand.Rand) error {
	for _, room := range rooms {
		w.visitors.jump(room)
		pause(ctx, time.Second)
	}
	return nil
}

// endConference has two clients watch a conference to its end (W11): they are told so,
// and of nobody's removal.
func endConference(ctx context.Context, w *world, chance *rand.Rand) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	conference := fmt.Sprintf("conf_gone_%d", chance.Uint32())
	for n := range 3 {
		w.visitors.enter(conference, simulator.Person{ID: fmt.Sprint("guest_", n), Status: "connected"})
	}
	ended := make(chan int, len(doors))
	for name := range doors {
		watcher := &watcher{world: w, conference: conference, door: name, held: roster{}}
		w.running.Go(func() {
			watcher.follow(ctx)
			ended <- len(watcher.copy())
		})
	}
	pause(ctx, 2*time.Second)
	w.vendor.DeleteConference(conference)
	for range doors {
		if held := <-ended; held != 3 || ctx.Err() != nil {
			return fmt.Errorf("a watcher held %d of 3 at the end, or was not told of it: %w", held, context.Cause(ctx))
		}
	}
	return nil
}
