package wire

import (
	"slices"

	"github.com/audian/participant-gateway/internal/participant"
)

// plainFields are the fields whose change has one name. Duration is not reported (W9);
// status and role may have two names.
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

// changedFields returns the proto's names of the fields that differ, sorted.
func changedFields(before, after participant.Participant) []string {
	changed := participant.Changed(before, after)
	var names []string
	for _, plain := range plainFields {
		if changed.Has(plain.field) {
			names = append(names, plain.name)
		}
	}
	if changed.Has(participant.FieldRole) {
		names = append(names, changedEnum("role", roleToProto(before.Role), roleToProto(after.Role))...)
	}
	if changed.Has(participant.FieldStatus) {
		names = append(names, changedEnum("status", statusToProto(before.Status), statusToProto(after.Status))...)
	}
	slices.Sort(names)
	return names
}

// changedEnum returns the enum's field if its value changed, and its raw field if the raw
// text changed.
func changedEnum[E ~int32](name string, before, after enumOrRaw[E]) []string {
	var names []string
	if before.value != after.value {
		names = append(names, name)
	}
	if before.raw != after.raw {
		names = append(names, rawPrefix+name)
	}
	return names
}

// rawPrefix is the prefix of a proto field for text that the enum field does not contain.
const rawPrefix = "raw_"
