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
