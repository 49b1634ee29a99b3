package participant

// Changed is the set of fields in which after differs from before, as far as that
// is news: not the ticking duration (W9), and not created_at where it was unknown,
// since a first sight tells nothing that happened (W8).
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
