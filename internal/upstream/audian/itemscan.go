package audian

import (
	"bytes"
	"slices"
	"sync"

	"github.com/audian/participant-gateway/internal/participant"
)

// maxItemText bounds the text of an item that is decoded without the document around it. It is
// less than the deepest nesting that the decoder accepts (10,000), so that an item is accepted
// within the document too.
const maxItemText = 4 << 10

// maxSkipped is among how many items of the last page a changed one is looked for. If more have
// left, the items after them are decoded.
const maxSkipped = 16

// itemScan reads the items of an array.
type itemScan struct {
	*pageReader
	cursor

	// begin is where the array begins.
	begin int
	// known are the items of the last page, and next is the first that may come next.
	known pageItems
	next  int
	// found uses the memory of known[:next] again, unless known is a copy.
	found  pageItems
	copied bool
	// decoded is the item that was decoded last. Each has the same memory, which saves allocations.
	decoded participant.Item
}

// scans are used again, with the memory of their names.
var scans = sync.Pool{New: func() any { return new(itemScan) }}

// newItemScan returns a scan of the array that begins at a place in a document, until it is released.
func newItemScan(r *pageReader, last lastPage, document []byte, begin int) *itemScan {
	s, _ := scans.Get().(*itemScan)
	*s = itemScan{
		pageReader: r, cursor: cursor{text: document, at: begin + 1, names: s.names}, begin: begin, known: last.pageItems,
		found: pageItems{items: last.items[:0], texts: last.texts[:0], distinct: true},
	}
	if last.items == nil {
		most := min((len(document)-begin)/itemBytes, r.room)
		s.found.items, s.found.texts = make([]participant.Item, 0, most), make([]itemText, 0, most)
	}
	return s
}

// release ends the use of a scan, but not of the items that it has found.
func (s *itemScan) release() {
	clear(s.names[:cap(s.names)]) // The pool must not keep a document.
	*s = itemScan{cursor: cursor{names: s.names[:0]}}
	scans.Put(s)
}

// items reads the items and the end of the array. It returns false if the array is empty or
// cannot be read in this way.
func (s *itemScan) items() bool {
	for {
		s.skipBlanks()
		if len(s.found.items) == s.room || !s.repeated() && !s.decode() {
			return false
		}
		s.skipBlanks()
		switch s.character() {
		case ',':
		case ']':
			return true
		default:
			return false
		}
	}
}

// repeated reads an item that is the next one of the last page, with any duration.
func (s *itemScan) repeated() bool {
	if s.next == len(s.known.items) {
		return false
	}
	known, rest := s.known.texts[s.next], s.text[s.at:]
	before, after := s.known.array[known.start:known.digits], s.known.array[known.digitsEnd:known.end]
	if !bytes.HasPrefix(rest, before) {
		return false
	}
	item, digits := &s.known.items[s.next], 0
	if known.digits < known.digitsEnd {
		var seconds int32
		if seconds, digits = wholeNumber(rest[len(before):]); digits == 0 {
			return false
		}
		item.Duration = seconds
	}
	if !bytes.HasPrefix(rest[len(before)+digits:], after) {
		return false
	}
	s.next++
	text := itemText{start: s.at - s.begin}
	text.digits = text.start + len(before)
	text.digitsEnd = text.digits + digits
	text.end = text.digitsEnd + len(after)
	s.add(item, text)
	return true
}

// decode reads an item that is new or has changed.
func (s *itemScan) decode() bool {
	begin := s.at
	s.decoded = participant.Item{}
	place, ok := s.item(&s.decoded)
	if !ok {
		text := s.text[begin:min(begin+maxItemText, len(s.text))]
		d := newDecoder(text)
		defer d.release()
		s.decoded = participant.Item{}
		var err error
		if place, err = decodeItem(&d.Decoder, &s.decoded, s.unexpected); err != nil {
			return false
		}
		place.shift(begin)
	}
	if s.decoded.ID == "" {
		return false
	}
	s.skipTo(s.decoded.ID)
	place.shift(-s.begin)
	s.add(&s.decoded, place)
	return true
}

// skipTo skips the items of the last page up to the one with an id. Without one, the ids are no longer
// known to be distinct.
func (s *itemScan) skipTo(id string) {
	for i := s.next; i < min(s.next+maxSkipped, len(s.known.items)); i++ {
		if s.known.items[i].ID == id {
			s.next = i + 1
			return
		}
	}
	s.found.distinct = false
	if s.next == len(s.found.items) && !s.copied {
		s.known.items, s.known.texts = slices.Clone(s.known.items), slices.Clone(s.known.texts)
		s.copied = true
	}
}

// add adds an item. Most are in their place already.
func (s *itemScan) add(item *participant.Item, text itemText) {
	n := len(s.found.items)
	s.found.texts = append(s.found.texts, text)
	if n < cap(s.found.items) && item == &s.found.items[:n+1][n] {
		s.found.items = s.found.items[:n+1]
	} else {
		s.found.items = append(s.found.items, *item)
	}
	s.at = s.begin + text.end
}
