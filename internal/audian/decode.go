package audian

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/audian/participant-gateway/internal/participant"
)

// report is told the name of a field that was taken as missing because of its type.
type report func(field string)

// page is one page of a list, as one body told it.
type page struct {
	// items are those with an id, in order, an id maybe more than once.
	items []participant.Item
	// nameless is how many more had no id.
	nameless      int
	total, active *int
	// next is the key of the next page, empty on the last.
	next string
}

// decodePage reads a page from a body that is bare, or wrapped in `data`. What it
// cannot make out for certain is an error: a list proves who is gone (W7).
func decodePage(e envelope, odd report) (page, error) {
	array, around, err := findList(e)
	if err != nil {
		return page{}, err
	}
	p, err := decodeItems(array, odd)
	if err != nil {
		return page{}, err
	}
	for _, e := range around {
		p.total = smallest(p.total, counted("total", e.Total, odd))
		p.active = smallest(p.active, counted("active", e.Active, odd))
		if err := p.follow(e.NextStartKey, odd); err != nil {
			return page{}, err
		}
	}
	return p, nil
}

// findList finds the array of participants, and the objects that speak about it.
func findList(e envelope) (array jsontext.Value, around []envelope, err error) {
	switch {
	case e.Participants.Kind() == '[':
		return e.Participants, []envelope{e}, nil
	case e.Data.Kind() == '[':
		return e.Data, []envelope{e}, nil
	}
	if data := inner(e.Data); data.Participants.Kind() == '[' {
		return data.Participants, []envelope{e, data}, nil
	}
	return nil, nil, errors.New("no array of participants")
}

func counted(field string, v jsontext.Value, odd report) *int {
	n := count(v)
	if n == nil && v != nil && v.Kind() != 'n' {
		odd(field)
	}
	return n
}

func smallest(a, b *int) *int {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}

// follow notes the key of the next page. One that cannot be sent back would leave the
// list incomplete.
func (p *page) follow(key jsontext.Value, odd report) error {
	switch key.Kind() {
	case '"':
		if next, _ := text(key); next != "" {
			p.next = next
		}
	case '0':
		p.next = string(key)
	case 'n', jsontext.KindInvalid:
	case 'f':
		odd("next_start_key") // It plainly says that there is none.
	default:
		return errors.New("next_start_key is no string")
	}
	return nil
}

// itemBytes is about what a participant takes in a body, rather less.
const itemBytes = 200

// decodeItems reads an array of participants.
func decodeItems(array jsontext.Value, odd report) (page, error) {
	// Names were found to be unique when the envelope was read.
	d := jsontext.NewDecoder(bytes.NewBuffer(array), jsontext.AllowDuplicateNames(true))
	if _, err := d.ReadToken(); err != nil {
		return page{}, fmt.Errorf("participants: %w", err)
	}
	p := page{items: make([]participant.Item, 0, len(array)/itemBytes)}
	for n := 0; d.PeekKind() != ']'; n++ {
		// Decoded in its place: of its own, each would be on the heap.
		p.items = append(p.items, participant.Item{})
		item := &p.items[len(p.items)-1]
		if err := decodeItem(d, item, odd); err != nil {
			return page{}, fmt.Errorf("participant %d: %w", n, err)
		}
		if item.ID == "" {
			odd("id")
			p.nameless++
			p.items = p.items[:len(p.items)-1]
		}
	}
	return p, nil
}

// decodeAdded reads the answer to an add: one participant, bare or in `data`. One
// without an id is nobody.
func decodeAdded(e envelope, body []byte, odd report) (participant.Item, error) {
	value := jsontext.Value(body)
	if e.Data.Kind() == '{' {
		value = e.Data
	}
	var item participant.Item
	err := decodeItem(jsontext.NewDecoder(bytes.NewBuffer(value)), &item, odd)
	if err == nil && item.ID == "" {
		err = errors.New("no id")
	}
	return item, err
}

// decodeItem reads one participant into a zero item. A field that is not there, or null,
// or of a wrong type is not told; a wrong type of id or status spoils the whole (W7, W8).
func decodeItem(d *jsontext.Decoder, item *participant.Item, odd report) error {
	if d.PeekKind() != '{' {
		return errors.New("no object")
	}
	if _, err := d.ReadToken(); err != nil {
		return fmt.Errorf("read object: %w", err)
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadValue()
		if err != nil {
			return fmt.Errorf("read name: %w", err)
		}
		f := fieldOf(name)
		value, err := d.ReadValue()
		if err != nil {
			return fmt.Errorf("read value: %w", err)
		}
		if err := f.take(item, value, odd); err != nil {
			return err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return fmt.Errorf("read object: %w", err)
	}
	return nil
}
