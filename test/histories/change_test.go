package histories_test

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/wire"
)

// change applies one change, which must fit what the client holds.
func (c *client) change(change *v2.ParticipantChange) error {
	after := change.GetParticipant()
	before, holds := c.held[after.GetId()]
	if holds == (change.GetKind() == v2.ChangeKind_CHANGE_KIND_ADDED) {
		return fmt.Errorf("%s, but held: %t", change.GetKind(), holds)
	}
	if holds {
		if err := fits(change, before); err != nil {
			return err
		}
	}
	c.world.countFilter(change)
	switch change.GetKind() {
	case v2.ChangeKind_CHANGE_KIND_LEFT_FILTER, v2.ChangeKind_CHANGE_KIND_REMOVED:
		delete(c.held, after.GetId())
	default:
		c.held[after.GetId()] = after
	}
	return nil
}

// countFilter counts who came and went by the filter alone (W17).
func (w *world) countFilter(change *v2.ParticipantChange) {
	switch {
	case change.GetKind() == v2.ChangeKind_CHANGE_KIND_LEFT_FILTER:
		w.seen.add(leftFilter)
	case change.GetKind() == v2.ChangeKind_CHANGE_KIND_ADDED && change.PreviousStatus != nil:
		w.seen.add(enteredFilter)
	}
}

// fits says whether a change begins where the client stands.
func fits(change *v2.ParticipantChange, before *v2.Participant) error {
	after := change.GetParticipant()
	if change.GetPreviousStatus() != before.GetStatus() || change.GetPreviousRawStatus() != before.GetRawStatus() {
		return fmt.Errorf("previous_status is not that of %s", before)
	}
	if change.GetKind() == v2.ChangeKind_CHANGE_KIND_REMOVED {
		return alike(after, before)
	}
	differing := differing(before, after)
	changed := slices.DeleteFunc(slices.Sorted(slices.Values(change.GetChangedFields())), func(field string) bool {
		return field == "created_at" && before.GetCreatedAt() == nil // The first sight of it was no event.
	})
	if !slices.Equal(changed, differing) {
		return fmt.Errorf("changed_fields, but %v differ from %s", differing, before)
	}
	if change.GetKind() == v2.ChangeKind_CHANGE_KIND_UPDATED && len(differing) == 0 {
		return errors.New("an update of nothing")
	}
	return nil
}

// differing are the names of the fields that differ as far as that is news (W8, W9).
func differing(a, b *v2.Participant) []string {
	var names []string
	fields := a.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		one, other := a.ProtoReflect(), b.ProtoReflect()
		firstSight := field.Name() == "created_at" && !one.Has(field)
		if field.Name() != "duration" && !firstSight && !one.Get(field).Equal(other.Get(field)) {
			names = append(names, string(field.Name()))
		}
	}
	slices.Sort(names)
	return names
}

// alike says whether two are so as far as W2 promises it.
func alike(a, b *v2.Participant) error {
	if a == nil || b == nil {
		return fmt.Errorf("%s is not %s", a, b)
	}
	a, b = proto.CloneOf(a), proto.CloneOf(b)
	a.Duration, b.Duration = 0, 0
	if a.GetCreatedAt() == nil || b.GetCreatedAt() == nil {
		a.CreatedAt, b.CreatedAt = nil, nil
	}
	if !proto.Equal(a, b) {
		return fmt.Errorf("%s is not %s", a, b)
	}
	return nil
}

// holds says whether a client holds the roster, as the filter shows it.
func holds(held map[string]*v2.Participant, roster []participant.Participant, filter participant.Filter) error {
	shown := 0
	for _, p := range roster {
		if !filter.Match(p) {
			continue
		}
		shown++
		if err := alike(held[p.ID], wire.Participant(p)); err != nil {
			return fmt.Errorf("held: %w", err)
		}
	}
	if shown != len(held) {
		return fmt.Errorf("%d held, %d in the filtered roster", len(held), shown)
	}
	return nil
}
