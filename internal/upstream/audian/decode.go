package audian

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/audian/participant-gateway/internal/participant"
)

// fieldReport is called with the name of a field that was ignored because of its type.
type fieldReport func(field string)

// page is one page of a list.
type page struct {
	pageItems

	// withoutID is the number of participants without an id.
	withoutID     int
	total, active *int
	// next is the key of the next page, empty on the last page. badKey is set if the body has
	// a key that cannot be sent back.
	next   string
	badKey error
	// placeholder is true if the body has null or {} instead of an array.
	placeholder bool
}

// pageItems are the participants of a page.
type pageItems struct {
	// array is the part of the document that contains them.
	array jsontext.Value
	// items are the participants with an id, in order; an id may occur more than once, unless
	// distinct is true. texts are their texts in the array.
	items    []participant.Item
	texts    []itemText
	distinct bool
}

// decodePage decodes a page, bare or in `data`. It fails if it is not certain who is listed,
// because a list proves removals (W7). It reads at most room items.
func decodePage(e envelope, room int, unexpected fieldReport) (page, error) {
	array, data := findList(e)
	p := page{placeholder: array == nil}
	if array != nil {
		var err error
		if p, err = decodeItems(array, room, unexpected); err != nil {
			return page{}, err
		}
	}
	for _, e := range [...]envelope{e, data} {
		p.total = smallest(p.total, counted("total", e.Total, unexpected))
		p.active = smallest(p.active, counted("active", e.Active, unexpected))
		p.follow(e.NextStartKey, unexpected)
	}
	if p.placeholder && !p.isEmpty(e, data) {
		return page{}, errors.New("no array of participants")
	}
	return p, nil
}

// findList returns the array of participants, or nil, and the object in `data`; a zero envelope if the
// array is not in that object.
func findList(e envelope) (array jsontext.Value, data envelope) {
	switch {
	case e.Participants.Kind() == '[':
		return e.Participants, envelope{}
	case e.Data.Kind() == '[':
		return e.Data, envelope{}
	}
	data = inner(e.Data)
	if data.Participants.Kind() == '[' {
		return data.Participants, data
	}
	return nil, data
}

// isEmpty reports whether a page without an array is an empty list: it has null or {} instead,
// and its total is not above 0 (W7).
func (p *page) isEmpty(e, data envelope) bool {
	held := isPlaceholder(e.Participants) || isPlaceholder(data.Participants)
	return held && (p.total == nil || *p.total == 0) && p.next == "" && p.badKey == nil
}

func isPlaceholder(v jsontext.Value) bool {
	if v.Kind() == '{' {
		v = bytes.TrimSpace(v[1:])
		return len(v) == 1
	}
	return v.Kind() == 'n'
}

func counted(field string, v jsontext.Value, unexpected fieldReport) *int {
	n := count(v)
	if n == nil && v != nil && v.Kind() != 'n' {
		unexpected(field)
	}
	return n
}

func smallest(a, b *int) *int {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}

// follow sets the key of the next page. A key that cannot be sent back makes the list
// incomplete.
func (p *page) follow(key jsontext.Value, unexpected fieldReport) {
	switch key.Kind() {
	case '"':
		if next, _ := text(key); next != "" {
			p.next = next
		}
	case '0':
		p.next = string(key)
	case 'n', jsontext.KindInvalid:
	case 'f':
		unexpected("next_start_key") // false means that there is none.
	default:
		unexpected("next_start_key")
		p.badKey = errors.New("next_start_key is not a string")
	}
}

// itemBytes is a low estimate of the size of a participant in a body.
const itemBytes = 200

// decodeItems decodes an array of at most room participants. It stops there to bound its
// memory.
func decodeItems(array jsontext.Value, room int, unexpected fieldReport) (page, error) {
	d := newDecoder(array)
	defer d.release()
	if _, err := d.ReadToken(); err != nil {
		return page{}, fmt.Errorf("participants: %w", err)
	}
	most := min(len(array)/itemBytes, room)
	p := page{pageItems: pageItems{
		array: array, items: make([]participant.Item, 0, most), texts: make([]itemText, 0, most),
	}}
	for n := 0; d.PeekKind() != ']'; n++ {
		if n == room {
			return page{}, invalidPages("the upstream's list is larger than any conference")
		}
		// Decoding in place avoids an allocation for each item.
		p.items = append(p.items, participant.Item{})
		item := &p.items[len(p.items)-1]
		text, err := decodeItem(&d.Decoder, item, unexpected)
		if err != nil {
			return page{}, fmt.Errorf("participant %d: %w", n, err)
		}
		p.texts = append(p.texts, text)
		if item.ID == "" {
			unexpected("id")
			p.withoutID++
			p.items, p.texts = p.items[:len(p.items)-1], p.texts[:len(p.texts)-1]
		}
	}
	return p, nil
}

// decodeParticipant decodes a response with one participant, bare or in `data`. It fails if there
// is no id.
func decodeParticipant(e envelope, body []byte, unexpected fieldReport) (participant.Item, error) {
	value := jsontext.Value(body)
	if e.Data.Kind() == '{' {
		value = e.Data
	}
	var item participant.Item
	_, err := decodeItem(jsontext.NewDecoder(bytes.NewBuffer(value), tolerant), &item, unexpected)
	if err == nil && item.ID == "" {
		err = errors.New("no id")
	}
	return item, err
}

// decodeItem decodes one participant into a zero item. A field that is missing, null or of an
// unexpected type is not set in Fields; an unexpected type of id or status is an error (W7, W8).
func decodeItem(d *jsontext.Decoder, item *participant.Item, unexpected fieldReport) (itemText, error) {
	if d.PeekKind() != '{' {
		return itemText{}, errors.New("not an object")
	}
	if _, err := d.ReadToken(); err != nil {
		return itemText{}, fmt.Errorf("read object: %w", err)
	}
	text := itemText{start: int(d.InputOffset()) - 1}
	var wrong [strictFields]*field
	for d.PeekKind() != '}' {
		f, value, err := readMember(d)
		if err != nil {
			return itemText{}, err
		}
		if f == nil {
			continue
		}
		if f.bit == participant.FieldDuration {
			text.setDigits(int(d.InputOffset()), value)
		}
		wrong[f.strict] = nil
		if !f.take(item, value) {
			wrong[f.strict] = f
			unexpected(f.name)
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return itemText{}, fmt.Errorf("read object: %w", err)
	}
	text.setEnd(int(d.InputOffset()))
	for _, f := range wrong[lenient+1:] {
		if f != nil {
			return itemText{}, fmt.Errorf("%s has the wrong type", f.name)
		}
	}
	return text, nil
}

// readMember reads a member of an object; the field is nil if it is unknown.
func readMember(d *jsontext.Decoder) (f *field, value jsontext.Value, err error) {
	name, err := d.ReadValue()
	if err != nil {
		return nil, nil, fmt.Errorf("read name: %w", err)
	}
	f = fieldNamed(unquoted(name, nil))
	if value, err = d.ReadValue(); err != nil {
		return nil, nil, fmt.Errorf("read value: %w", err)
	}
	return f, value, nil
}
