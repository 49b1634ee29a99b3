package participant

// Changed returns the fields in which after differs from before, without those that make
// no event: the duration (W9), and a created_at that was unknown before (W8).
func Changed(before, after Participant) Fields {
	var changed Fields
	note := func(field Fields, differs bool) {
		if differs {
			changed |= field
		}
	}
	note(FieldPhoneNumber, before.PhoneNumber != after.PhoneNumber)
	note(FieldName, before.Name != after.Name)
	note(FieldRole, before.Role != after.Role)
	note(FieldStatus, before.Status != after.Status)
	note(FieldMuted, before.Muted != after.Muted)
	note(FieldJoinedAt, !before.JoinedAt.Equal(after.JoinedAt))
	note(FieldCreatedAt, !before.CreatedAt.IsZero() && !before.CreatedAt.Equal(after.CreatedAt))
	return changed
}

// Repeats reports whether known has the values that an item contains, without the duration, so that
// ApplyTo would change nothing else of it.
func Repeats(i *Item, known *Participant) bool {
	lacks := func(field Fields) bool { return i.Fields&field == 0 }
	return (i.PhoneNumber == known.PhoneNumber || lacks(FieldPhoneNumber)) &&
		(i.Name == known.Name || lacks(FieldName)) &&
		(i.Role == known.Role || lacks(FieldRole)) &&
		(i.Status == known.Status || lacks(FieldStatus)) &&
		(i.Muted == known.Muted || lacks(FieldMuted)) &&
		(i.JoinedAt.Equal(known.JoinedAt) || lacks(FieldJoinedAt)) &&
		(i.CreatedAt.Equal(known.CreatedAt) || lacks(FieldCreatedAt))
}
