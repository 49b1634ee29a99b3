// Package watchmodel is what a client of the watch may believe: the roster that it has after each
// message, and the rosters of all positions of the gateway's logs, to compare with.
package watchmodel

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/wire"
)

// Roster is what a client holds, by id.
type Roster map[string]*v2.Participant

// Replace makes the roster that of a snapshot.
func (r Roster) Replace(snapshot *v2.ParticipantSnapshot) {
	clear(r)
	for _, p := range snapshot.GetParticipants() {
		r[p.GetId()] = p
	}
}

// Apply applies one change, which must fit the roster.
func (r Roster) Apply(change *v2.ParticipantChange) error {
	after := change.GetParticipant()
	before, holds := r[after.GetId()]
	if holds == (change.GetKind() == v2.ChangeKind_CHANGE_KIND_ADDED) {
		return fmt.Errorf("%s, but held: %t", change.GetKind(), holds)
	}
	if holds {
		if err := fits(change, before); err != nil {
			return err
		}
	}
	switch change.GetKind() {
	case v2.ChangeKind_CHANGE_KIND_LEFT_FILTER, v2.ChangeKind_CHANGE_KIND_REMOVED:
		delete(r, after.GetId())
	default:
		r[after.GetId()] = after
	}
	return nil
}

// Equals compares the roster with one of the gateway, as the filter shows it (W2).
func (r Roster) Equals(people []participant.Participant, filter participant.Filter) error {
	shown := 0
	for _, p := range people {
		if !filter.Match(p) {
			continue
		}
		shown++
		if err := alike(r[p.ID], wire.Participant(p)); err != nil {
			return fmt.Errorf("held: %w", err)
		}
	}
	if shown != len(r) {
		return fmt.Errorf("%d held, %d in the filtered roster", len(r), shown)
	}
	return nil
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
