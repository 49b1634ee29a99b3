package audian

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/audian/participant-gateway/internal/participant"
)

// field describes how one member of a participant is decoded. The conference is not among them,
// because the request names it.
type field struct {
	name string
	bit  participant.Fields
	// set returns false if the value has an unexpected type.
	set func(*participant.Item, jsontext.Value) bool
	// strict makes an unexpected type an error; null is true if null is a value.
	strict strictness
	null   bool
}

// strictness numbers the fields whose type must be the expected one.
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
		set: texts(func(i *participant.Item) *string { return &i.ID }),
	},
	field{
		name: "status", bit: participant.FieldStatus, strict: strictStatus,
		set: texts(func(i *participant.Item) *participant.Status { return &i.Status },
			participant.StatusConnected, participant.StatusHeld, participant.StatusDialing,
			participant.StatusPending, participant.StatusDisconnected, participant.StatusRejected),
	},
	field{
		name: "role", bit: participant.FieldRole,
		set: texts(func(i *participant.Item) *participant.Role { return &i.Role },
			participant.RoleListener, participant.RolePresenter, participant.RoleOperator),
	},
	field{
		name: "name", bit: participant.FieldName,
		set: texts(func(i *participant.Item) *string { return &i.Name }),
	},
	field{name: "phone_number", bit: participant.FieldPhoneNumber, set: setPhoneNumber},
	field{name: "muted", bit: participant.FieldMuted, set: setMuted},
	field{name: "duration", bit: participant.FieldDuration, set: setDuration},
	field{
		name: "joined_at", bit: participant.FieldJoinedAt, null: true,
		set: timestamp(func(i *participant.Item) *time.Time { return &i.JoinedAt }),
	},
	field{
		name: "created_at", bit: participant.FieldCreatedAt,
		set: timestamp(func(i *participant.Item) *time.Time { return &i.CreatedAt }),
	},
)

// maxFieldName is the length of the longest name of a field.
const maxFieldName = len("phone_number")

// index returns the fields by the length of their names: so few are found faster than in a map.
func index(all ...field) (byLength [maxFieldName + 1][]*field) {
	for i, f := range all {
		byLength[len(f.name)] = append(byLength[len(f.name)], &all[i])
	}
	return byLength
}

// fieldNamed returns the field with a name, or nil.
func fieldNamed(name []byte) *field {
	if len(name) > maxFieldName {
		return nil
	}
	for _, f := range fields[len(name)] {
		if f.name == string(name) {
			return f
		}
	}
	return nil
}

// take sets the field to a member's value, which replaces an earlier one. It returns false if the
// value has an unexpected type.
func (f *field) take(item *participant.Item, value jsontext.Value) bool {
	item.Fields &^= f.bit
	isSet := f.set(item, value)
	if value[0] == 'n' && !f.null {
		return true
	}
	if isSet {
		item.Fields |= f.bit
	}
	return isSet
}

// texts decodes text. Known texts need no allocation.
func texts[T ~string](in func(*participant.Item) *T, known ...T) func(*participant.Item, jsontext.Value) bool {
	return func(item *participant.Item, v jsontext.Value) bool {
		for _, k := range known {
			if len(v) == len(k)+2 && string(v[1:len(v)-1]) == string(k) && v[0] == '"' {
				*in(item) = k
				return true
			}
		}
		s, ok := text(v)
		*in(item) = T(s)
		return ok
	}
}

// setPhoneNumber decodes text, or the digits of a number.
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

// parseTime parses an RFC 3339 time, also with lower-case letters, with a blank instead of the T,
// or with second 60.
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

// timestamp decodes an RFC 3339 time within the range of a protobuf Timestamp; null is the zero
// time.
func timestamp(in func(*participant.Item) *time.Time) func(*participant.Item, jsontext.Value) bool {
	return func(item *participant.Item, v jsontext.Value) bool {
		*in(item) = time.Time{}
		if v.Kind() == 'n' {
			return true
		}
		var short [64]byte // The text is not stored.
		t, err := parseTime(unquoted(v, short[:0]))
		if err != nil || t.Year() < 1 || t.Year() > 9999 {
			return false
		}
		*in(item) = t
		return true
	}
}
