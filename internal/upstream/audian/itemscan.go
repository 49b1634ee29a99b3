package audian

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/audian/participant-gateway/internal/participant"
)

// maxItemText bounds the text of an item that is decoded outside its array: too few characters to
// exceed the decoder's depth there, but not in the array.
const maxItemText = 4 << 10

// maxSkipped is how many items of the last page are compared with the id of a new text. More may
// have gone, but then it is cheaper to decode the rest.
const maxSkipped = 16

// itemScan reads the items of an array.
type itemScan struct {
	*pageReader

	document []byte
	// begin is where the array begins, and at where to read on.
	begin, at int
	// next is the first item of the last page that may come next.
	next    int
	found   pageItems
	decoder jsontext.Decoder
}

func newItemScan(r *pageReader, document []byte) *itemScan {
	room := min(len(r.last.items)+maxSkipped, r.room)
	return &itemScan{
		pageReader: r, document: document, begin: len(r.last.before) - 1, at: len(r.last.before),
		found: pageItems{items: make([]participant.Item, 0, room), texts: make([]itemText, 0, room), distinct: true},
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
	for s.at < len(s.document) && bytes.IndexByte([]byte(" \t\r\n"), s.document[s.at]) >= 0 {
		s.at++
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
	if s.next == len(s.last.items) {
		return false
	}
	known, rest := s.last.texts[s.next], s.document[s.at:]
	before, after := s.last.array[known.start:known.digits], s.last.array[known.digitsEnd:known.end]
	if !bytes.HasPrefix(rest, before) {
		return false
	}
	item, digits := s.last.items[s.next], 0
	if known.digits < known.digitsEnd {
		item.Duration, digits = wholeNumber(rest[len(before):])
		if digits == 0 {
			return false
		}
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
	at, err := decodeItem(&s.decoder, &item, s.unexpected)
	if err != nil || item.ID == "" {
		return false
	}
	s.pass(item.ID)
	s.add(item, at.shift(s.at-s.begin))
	return true
}

// pass passes the item of the last page with an id, and those before it. If there is none, the
// id may occur twice.
func (s *itemScan) pass(id string) {
	ahead := s.last.items[s.next:min(s.next+maxSkipped, len(s.last.items))]
	at := slices.IndexFunc(ahead, func(known participant.Item) bool { return known.ID == id })
	if at < 0 {
		s.found.distinct = false
	}
	s.next += at + 1
}

func (s *itemScan) add(item participant.Item, text itemText) {
	s.found.items, s.found.texts = append(s.found.items, item), append(s.found.texts, text)
	s.at = s.begin + text.end
}
