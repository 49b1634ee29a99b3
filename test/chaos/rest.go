package main

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// settlesWithin is how long the world may take to come to rest: the slowest back-off of
// the gateway, and a fresh list of each conference.
const settlesWithin = 30 * time.Second

// settle lets the world come to rest and compares: every watcher, and a list through
// the gateway, with the vendor's truth (W2).
func (w *world) settle(ctx context.Context) {
	w.quiet.Lock()
	defer w.quiet.Unlock()
	w.vendor.ClearFaults()
	w.network.turn(weather{})
	late := time.Now().Add(settlesWithin)
	var breaches []breach
	for ctx.Err() == nil {
		if breaches = w.compare(ctx); len(breaches) == 0 {
			w.tally.check("times that all held the truth at rest", 1)
			return
		}
		if time.Now().After(late) {
			break
		}
		pause(ctx, 200*time.Millisecond)
	}
	for _, b := range breaches {
		w.tally.brokenf(b.rule, "at rest: %s", b.what)
	}
}

// compare finds who does not hold the truth.
func (w *world) compare(ctx context.Context) (found []breach) {
	for _, room := range rooms {
		truth := truthOf(w.vendor.Truth(room))
		for _, watcher := range w.watchers {
			if watcher.conference == room {
				want := truth.seen(watcher.connected)
				found = append(found, differences(watcher.door+" on "+room, watcher.copy(), want)...)
			}
		}
		listed, err := w.list(ctx, room)
		if err != nil {
			found = append(found, breach{changesLost, err.Error()})
			continue
		}
		got := roster{}
		for _, p := range listed {
			got[p.ID] = p
		}
		found = append(found, differences("list of "+room, got, truth)...)
	}
	return found
}

// differences are what a roster lacks of the truth, and what it has beside it.
func differences(who string, held, truth roster) (found []breach) {
	for id, p := range truth {
		if held[id] != p {
			found = append(found, breach{changesLost, fmt.Sprintf("%s holds %v for %v", who, held[id], p)})
		}
	}
	for id, p := range held {
		if _, there := truth[id]; !there {
			found = append(found, breach{changesInvented, fmt.Sprintf("%s holds %v", who, p)})
		}
	}
	return found
}

func truthOf(people []simulator.Person) roster {
	truth := roster{}
	for _, p := range people {
		truth[p.ID] = human{
			ID: p.ID, Phone: p.PhoneNumber, Name: p.Name, Role: p.Role, Status: p.Status, Muted: p.Muted,
			Joined: instantOf(p.JoinedAt.Truncate(time.Second)), // The vendor tells whole seconds.
		}
	}
	return truth
}

// seen is the roster through a watcher's filter.
func (r roster) seen(connected bool) roster {
	shown := maps.Clone(r)
	if connected {
		maps.DeleteFunc(shown, func(_ string, p human) bool { return p.Status != "connected" })
	}
	return shown
}
