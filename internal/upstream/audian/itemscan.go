package audian

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

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

	document []byte
	// begin is where the array begins, and at where to read on.
	begin, at int
	// known are the items of the last page, and next is the first that may come next.
	known pageItems
	next  int
	// found is written over what was read of known: it has at most next items, unless known is a
	// copy.
	found   pageItems
	copied  bool
	decoder jsontext.Decoder
}

func newItemScan(r *pageReader, last lastPage, document []byte) *itemScan {
	return &itemScan{
		pageReader: r, document: document, begin: len(last.before) - 1, at: len(last.before), known: last.pageItems,
		found: pageItems{items: last.items[:0], texts: last.texts[:0], distinct: true},
	}
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

// skipBlanks skips what JSON allows between values.
func (s *itemScan) skipBlanks() {
	for s.at < len(s.document) {
		switch s.document[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// character reads a character; 0 at the end.
func (s *itemScan) character() byte {
	if s.at == len(s.document) {
		return 0
	}
	s.at++
	return s.document[s.at-1]
}

// repeated reads an item that is the next one of the last page, with any duration.
func (s *itemScan) repeated() bool {
	if s.next == len(s.known.items) {
		return false
	}
	known, rest := s.known.texts[s.next], s.document[s.at:]
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
	text := s.document[s.at:min(s.at+maxItemText, len(s.document))]
	s.decoder.Reset(bytes.NewBuffer(text), tolerant)
	var item participant.Item
	place, err := decodeItem(&s.decoder, &item, s.unexpected)
	if err != nil || item.ID == "" {
		return false
	}
	s.pass(item.ID)
	place.shift(s.at - s.begin)
	s.add(&item, place)
	return true
}

// pass passes the item of the last page with an id, and those before it. If there is none, the
// id may occur twice.
func (s *itemScan) pass(id string) {
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
