package write

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// Lists are read this long, and this far apart, for an add whose answer was lost
// (A1).
const (
	searchFor   = 10 * time.Second
	searchEvery = time.Second
)

// reconcile looks in the conference's lists for the participant of an add whose
// answer was lost. It ends with the first list that proves who that is. Where none
// does it reads on to the end, even when none can any more: an equal add that comes
// later must not be given what this one may have made.
func (w *Writer) reconcile(
	ctx context.Context, upstream Upstream, d *dial, ticket Ticket, cause error,
) (participant.Item, *participant.Error) {
	w.log.LogAttrs(ctx, slog.LevelWarn, "add lost its answer", attributes(d, cause)...)
	item, found := w.search(ctx, upstream, d, newProfile(d, ticket))
	if !found {
		ticket.Drop()
		w.log.LogAttrs(ctx, slog.LevelWarn, "add has an unknown outcome", attributes(d, cause)...)
		return participant.Item{}, outcomeUnknown(cause)
	}
	ticket.Done(participant.Write{Kind: participant.WriteAdd, Item: item})
	w.log.LogAttrs(ctx, slog.LevelInfo, "add was found in a list",
		slog.String("conference_id", d.request.key.Conference),
		slog.String("participant_id", item.ID))
	return item, nil
}

// search reads lists until one proves whom the dial made, or time is up.
func (w *Writer) search(ctx context.Context, upstream Upstream, d *dial, p profile) (participant.Item, bool) {
	ctx, cancel := context.WithTimeout(ctx, searchFor)
	defer cancel()
	var seen []participant.Item
	for {
		next := time.Now().Add(searchEvery)
		list, err := upstream.ListAhead(ctx, d.request.key.Conference)
		if err == nil && list.Complete() {
			seen = p.among(list.Items)
			if item, found := w.identify(d, seen); found {
				return item, true
			}
		}
		if !sleep(ctx, time.Until(next)) {
			w.leaveOpen(d, seen)
			return participant.Item{}, false
		}
	}
}

// identify decides, in one step with its claim, who of those seen the dial made. A
// rival that is unresolved may yet claim one of them, so it is waited for; without
// one, two candidates will never be told apart.
func (w *Writer) identify(d *dial, seen []participant.Item) (participant.Item, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	free := w.claims.free(d, seen)
	if w.claims.rivalled(d) || len(free) == 0 {
		return participant.Item{}, false
	}
	d.contested = d.contested || len(free) > 1
	if d.contested {
		return participant.Item{}, false
	}
	w.claims.settle(d, free[0].ID)
	return free[0], true
}

func (w *Writer) leaveOpen(d *dial, seen []participant.Item) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.claims.leaveOpen(d, seen)
}

// profile is what is known of the participant that a lost add may have made.
type profile struct {
	add   participant.Add
	since time.Time
	// before are those in the roster when the add was sent; nil where no fresh roster
	// was at hand.
	before func(id string) bool
}

func newProfile(d *dial, ticket Ticket) profile {
	// The upstream tells joined_at in whole seconds.
	p := profile{add: d.add, since: d.began.Truncate(time.Second)}
	if before, fresh := ticket.Before(); fresh {
		p.before = before
	}
	return p
}

// among are the items that fit.
func (p profile) among(items []participant.Item) []participant.Item {
	var fitting []participant.Item
	for _, item := range items {
		if p.matches(item) && p.isNew(item) {
			fitting = append(fitting, item)
		}
	}
	return fitting
}

func (p profile) matches(item participant.Item) bool {
	return samePhone(item.PhoneNumber, p.add.PhoneNumber) &&
		(p.add.Name == "" || item.Name == p.add.Name) &&
		(p.add.Role == "" || item.Role == p.add.Role)
}

func (p profile) isNew(item participant.Item) bool {
	if p.before != nil {
		return !p.before(item.ID)
	}
	return item.Status.InFlight() || !item.JoinedAt.Before(p.since)
}

// samePhone compares digits. A number without any is like no other.
func samePhone(a, b string) bool {
	digitsOfA := digits(a)
	return digitsOfA != "" && digitsOfA == digits(b)
}

func digits(phone string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, phone)
}
