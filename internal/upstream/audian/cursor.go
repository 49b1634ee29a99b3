package audian

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/audian/participant-gateway/internal/participant"
)

// cursor reads a JSON text of the most usual form. It refuses any other text, which jsontext must
// read then.
type cursor struct {
	text []byte
	// at is where to read on.
	at int
	// names are those of the last item's members, of which the next item mostly has the same. named
	// is how many names of this item were read.
	names []memberName
	named int
}

// usualMembers is a little more than the number of an item's members.
const usualMembers = 16

// memberName is the text of a member's name, with the colon and the blanks after it, and its field;
// nil for an unknown one.
type memberName struct {
	text  []byte
	field *field
}

// skipBlanks skips what JSON allows between values.
func (c *cursor) skipBlanks() {
	for c.at < len(c.text) && c.text[c.at] <= ' ' {
		switch c.text[c.at] {
		case ' ', '\t', '\r', '\n':
			c.at++
		default:
			return
		}
	}
}

// character reads a character; 0 at the end.
func (c *cursor) character() byte {
	if c.at == len(c.text) {
		return 0
	}
	c.at++
	return c.text[c.at-1]
}

// item reads an object as decodeItem does, into a zero item. It returns false for one that is empty,
// or has a value that value refuses, or one of an unexpected type.
func (c *cursor) item(item *participant.Item) (text itemText, ok bool) {
	text.start, c.named = c.at, 0
	if c.character() != '{' {
		return itemText{}, false
	}
	for c.member(item, &text) {
		switch c.character() {
		case ',':
		case '}':
			text.setEnd(c.at)
			return text, true
		default:
			return itemText{}, false
		}
	}
	return itemText{}, false
}

// member reads a member of an item and the blanks around it.
func (c *cursor) member(item *participant.Item, text *itemText) bool {
	c.skipBlanks()
	f, ok := c.name()
	if !ok {
		return false
	}
	value := c.value()
	if value == nil {
		return false
	}
	if f != nil {
		if f.bit == participant.FieldDuration {
			text.setDigits(c.at, value)
		}
		if !f.take(item, value) {
			return false
		}
	}
	c.skipBlanks()
	return true
}

// name reads the name of a member, and returns its field, or nil for an unknown one.
func (c *cursor) name() (f *field, ok bool) {
	if c.names == nil {
		c.names = make([]memberName, 0, usualMembers)
	}
	n := c.named
	c.named++
	if n < len(c.names) && bytes.HasPrefix(c.text[c.at:], c.names[n].text) {
		c.at += len(c.names[n].text)
		return c.names[n].field, true
	}
	begin := c.at
	name := c.value()
	c.skipBlanks()
	if !isText(name) || c.character() != ':' {
		return nil, false
	}
	c.skipBlanks()
	f = fieldNamed(name[1 : len(name)-1])
	c.names = append(c.names[:n], memberName{text: c.text[begin:c.at], field: f})
	return f, true
}

// value reads a text without escapes, a whole number of up to 9 digits, true, false or null. It
// returns nil for any other value.
func (c *cursor) value() jsontext.Value {
	rest := c.text[c.at:]
	var length int
	switch {
	case isText(rest):
		length = plainText(rest)
	case bytes.HasPrefix(rest, []byte("true")), bytes.HasPrefix(rest, []byte("null")):
		length = len("true")
	case bytes.HasPrefix(rest, []byte("false")):
		length = len("false")
	default:
		_, length = wholeNumber(rest)
	}
	if length == 0 {
		return nil
	}
	c.at += length
	return rest[:length:length]
}

// plainText returns the length of the JSON string with which a text begins, with its quotes; 0 if it
// has no end, or contains an escape or a character that JSON must escape.
func plainText(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return i + 1
		case c < ' ', c == '\\':
			return 0
		}
	}
	return 0
}
