package audian

import (
	"bytes"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/audian/participant-gateway/internal/participant"
)

// field is how one member of a participant is read. The conference is not among them:
// it is the one that was asked for.
type field struct {
	name string
	told participant.Fields
	// set is false where the value is of another type.
	set func(*participant.Item, jsontext.Value) bool
	// strict makes a wrong type spoil the whole; null says something.
	strict, null bool
}

var fields = index(
	field{
		name: "id", strict: true,
		set: words(func(i *participant.Item) *string { return &i.ID }),
	},
	field{
		name: "status", told: participant.FieldStatus, strict: true,
		set: words(func(i *participant.Item) *participant.Status { return &i.Status },
			participant.StatusConnected, participant.StatusHeld, participant.StatusDialing,
			participant.StatusPending, participant.StatusDisconnected, participant.StatusRejected),
	},
	field{
		name: "role", told: participant.FieldRole,
		set: words(func(i *participant.Item) *participant.Role { return &i.Role },
			participant.RoleListener, participant.RolePresenter, participant.RoleOperator),
	},
	field{
		name: "name", told: participant.FieldName,
		set: words(func(i *participant.Item) *string { return &i.Name }),
	},
	field{
		name: "phone_number", told: participant.FieldPhoneNumber,
		set: words(func(i *participant.Item) *string { return &i.PhoneNumber }),
	},
	field{name: "muted", told: participant.FieldMuted, set: setMuted},
	field{name: "duration", told: participant.FieldDuration, set: setDuration},
	field{
		name: "joined_at", told: participant.FieldJoinedAt, null: true,
		set: stamp(func(i *participant.Item) *time.Time { return &i.JoinedAt }),
	},
	field{
		name: "created_at", told: participant.FieldCreatedAt,
		set: stamp(func(i *participant.Item) *time.Time { return &i.CreatedAt }),
	},
)

func index(all ...field) map[string]*field {
	byName := make(map[string]*field, len(all))
	for i := range all {
		byName[all[i].name] = &all[i]
	}
	return byName
}

// fieldOf is the field that a member's name means, nil for one that is not read.
func fieldOf(name jsontext.Value) *field {
	if bytes.IndexByte(name, '\\') >= 0 {
		plain, _ := text(name)
		return fields[plain]
	}
	return fields[string(name[1:len(name)-1])]
}

// take notes what a member tells.
func (f *field) take(item *participant.Item, value jsontext.Value, odd report) error {
	switch {
	case f == nil, value.Kind() == 'n' && !f.null:
		return nil
	case f.set(item, value):
		item.Told |= f.told
		return nil
	case f.strict:
		return fmt.Errorf("%s is of the wrong type", f.name)
	default:
		odd(f.name)
		return nil
	}
}

// words reads text. The known ones, which come again and again, take no memory.
func words[T ~string](in func(*participant.Item) *T, known ...T) func(*participant.Item, jsontext.Value) bool {
	return func(item *participant.Item, v jsontext.Value) bool {
		for _, word := range known {
			if len(v) == len(word)+2 && string(v[1:len(v)-1]) == string(word) && v[0] == '"' {
				*in(item) = word
				return true
			}
		}
		s, ok := text(v)
		*in(item) = T(s)
		return ok
	}
}

func setMuted(item *participant.Item, v jsontext.Value) bool {
	item.Muted = v.Kind() == 't'
	return item.Muted || v.Kind() == 'f'
}

func setDuration(item *participant.Item, v jsontext.Value) (ok bool) {
	item.Duration, ok = integer(v)
	return ok
}

// stamp reads an RFC 3339 time that a protobuf Timestamp can hold; null is the zero
// time.
func stamp(in func(*participant.Item) *time.Time) func(*participant.Item, jsontext.Value) bool {
	return func(item *participant.Item, v jsontext.Value) bool {
		if v.Kind() == 'n' {
			return true
		}
		var short [64]byte // The text is not kept.
		plain, _ := jsontext.AppendUnquote(short[:0], v)
		t, err := time.Parse(time.RFC3339, string(plain))
		t = t.UTC()
		if err != nil || t.Year() < 1 || t.Year() > 9999 {
			return false
		}
		*in(item) = t
		return true
	}
}
