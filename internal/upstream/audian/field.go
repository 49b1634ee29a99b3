package audian

import (
	"bytes"
	"fmt"
	"strconv"
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
	strict strictness
	null   bool
}

// strictness numbers the fields whose type must be right.
type strictness uint8

const (
	lenient strictness = iota
	strictID
	strictStatus

	strictFields
)

var fields = index(
	field{
		name: "id", strict: strictID,
		set: words(func(i *participant.Item) *string { return &i.ID }),
	},
	field{
		name: "status", told: participant.FieldStatus, strict: strictStatus,
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
	field{name: "phone_number", told: participant.FieldPhoneNumber, set: setPhoneNumber},
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

// take notes a member's value, in place of an earlier one of the same name. It returns
// false where the value is of a wrong type.
func (f *field) take(item *participant.Item, value jsontext.Value) bool {
	item.Fields &^= f.told
	isSet := f.set(item, value)
	if value.Kind() == 'n' && !f.null {
		return true
	}
	if isSet {
		item.Fields |= f.told
	}
	return isSet
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

// setPhoneNumber reads text, or a number of which the digits count.
func setPhoneNumber(item *participant.Item, v jsontext.Value) (ok bool) {
	if v.Kind() != '0' {
		item.PhoneNumber, ok = text(v)
		return ok
	}
	item.PhoneNumber = string(v)
	if bytes.ContainsAny(v, ".eE") {
		f, _ := number(v)
		item.PhoneNumber = strconv.FormatFloat(f, 'f', -1, 64)
	}
	return true
}

func setMuted(item *participant.Item, v jsontext.Value) (ok bool) {
	item.Muted, ok = flag(v)
	return ok
}

func setDuration(item *participant.Item, v jsontext.Value) (ok bool) {
	item.Duration, ok = seconds(v)
	return ok
}

// parseTime reads an RFC 3339 time as a whole: with lower-case letters, a blank in place
// of the T, or a second 60 too.
func parseTime(text []byte) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, string(text)); err == nil {
		return t.UTC(), nil
	}
	const separator, second = len("2006-01-02"), len("2006-01-02T15:04:")
	text = bytes.ToUpper(text)
	if len(text) > separator && text[separator] == ' ' {
		text[separator] = 'T'
	}
	leap := time.Duration(0)
	if len(text) > second+2 && string(text[second:second+2]) == "60" {
		copy(text[second:], "59")
		leap = time.Second
	}
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return time.Time{}, fmt.Errorf("parse time: %w", err)
	}
	return t.Add(leap).UTC(), nil
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
		t, err := parseTime(plain)
		if err != nil || t.Year() < 1 || t.Year() > 9999 {
			return false
		}
		*in(item) = t
		return true
	}
}
