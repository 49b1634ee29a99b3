package wire

import (
	"slices"

	"github.com/audian/participant-gateway/internal/participant"
)

// plainFields are the fields whose change has one name. Duration is not among
// them (W9); status and role may have two.
var plainFields = []struct {
	field participant.Fields
	name  string
}{
	{participant.FieldCreatedAt, "created_at"},
	{participant.FieldJoinedAt, "joined_at"},
	{participant.FieldMuted, "muted"},
	{participant.FieldName, "name"},
	{participant.FieldPhoneNumber, "phone_number"},
}

// changedFields are the proto's names of the fields that differ, sorted.
func changedFields(before, after participant.Participant) []string {
	changed := participant.Changed(before, after)
	var names []string
	for _, plain := range plainFields {
		if changed.Has(plain.field) {
			names = append(names, plain.name)
		}
	}
	if changed.Has(participant.FieldRole) {
		names = append(names, changedWord("role", speakRole(before.Role), speakRole(after.Role))...)
	}
	if changed.Has(participant.FieldStatus) {
		names = append(names, changedWord("status", speakStatus(before.Status), speakStatus(after.Status))...)
	}
	slices.Sort(names)
	return names
}

// changedWord names the field if its value changed, and its raw field if a word
// that the enum does not know came, went or became another.
func changedWord[E ~int32](name string, before, after spoken[E]) []string {
	var names []string
	if before.value != after.value {
		names = append(names, name)
	}
	if before.raw != after.raw {
		names = append(names, rawPrefix+name)
	}
	return names
}

// rawPrefix marks the proto's field for a word that the enum beside it does not know.
const rawPrefix = "raw_"
