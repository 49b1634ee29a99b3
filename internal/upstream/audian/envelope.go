package audian

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// envelope is the outermost object of a body, or the object in its `data`. Its members are parts
// of the body. They are not decoded, because each may have any type.
type envelope struct {
	ID, Participants, Total, Active, NextStartKey jsontext.Value
	Data, AuthToken, Status, Success, Error, Code jsontext.Value
	Type, Param, Message, RequestID, Tokens       jsontext.Value
}

// memberOf returns the member of an envelope with a name; nil if it has none.
//
//nolint:funlen // A table of functions, which would be shorter, needs each envelope on the heap.
func memberOf(e *envelope, name []byte) *jsontext.Value {
	switch string(name) {
	case "id":
		return &e.ID
	case "participants":
		return &e.Participants
	case "total":
		return &e.Total
	case "active":
		return &e.Active
	case "next_start_key":
		return &e.NextStartKey
	case "data":
		return &e.Data
	case "auth_token":
		return &e.AuthToken
	case "status":
		return &e.Status
	case "success":
		return &e.Success
	case "error":
		return &e.Error
	case "code":
		return &e.Code
	case "type":
		return &e.Type
	case "param":
		return &e.Param
	case "message":
		return &e.Message
	case "request_id":
		return &e.RequestID
	case "tokens":
		return &e.Tokens
	default:
		return nil
	}
}

// tolerant accepts what must not make a list unreadable (W7): invalid UTF-8, a lone surrogate,
// and a duplicate key, of which the last counts.
var tolerant = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// decoder is a tolerant decoder, which is used again.
type decoder struct {
	jsontext.Decoder

	text bytes.Buffer
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// newDecoder returns a decoder of a text, until it is released. The text must not change.
func newDecoder(text []byte) *decoder {
	d, _ := decoders.Get().(*decoder)
	d.text = *bytes.NewBuffer(text)
	d.Reset(&d.text, tolerant)
	return d
}

// release ends the use of a decoder, and of what it has returned.
func (d *decoder) release() {
	d.text = bytes.Buffer{} // The pool must not keep a long text.
	d.Reset(&d.text)
	decoders.Put(d)
}

// readEnvelope decodes a body; ok is false if it is not a JSON object.
func readEnvelope(body []byte) (e envelope, ok bool) {
	d := newDecoder(body)
	defer d.release()
	if d.PeekKind() != '{' {
		return envelope{}, false
	}
	if _, err := d.ReadToken(); err != nil {
		return envelope{}, false
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadValue()
		if err != nil {
			return envelope{}, false
		}
		member := memberOf(&e, unquoted(name, nil))
		value, err := d.ReadValue()
		if err != nil {
			return envelope{}, false
		}
		if end := int(d.InputOffset()); member != nil {
			*member = body[end-len(value) : end]
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return envelope{}, false
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return envelope{}, false // More follows the object.
	}
	return e, true
}

// offset returns where a part of a document, such as a member of its envelope, begins.
func offset(document []byte, part jsontext.Value) int { return cap(document) - cap(part) }

// readDocument decodes a body that may begin with a byte order mark, or contain control
// characters that should be escaped. It returns the body without them.
func readDocument(body []byte) (document []byte, e envelope, ok bool) {
	document = withoutMark(body)
	if e, ok = readEnvelope(document); ok || !bytes.ContainsFunc(document, isControl) {
		return document, e, ok
	}
	document = bytes.Map(withoutControl, document)
	e, ok = readEnvelope(document)
	return document, e, ok
}

// withoutMark returns a body without the byte order mark with which it may begin.
func withoutMark(body []byte) []byte { return bytes.TrimPrefix(body, []byte("\ufeff")) }

func isControl(r rune) bool { return r < ' ' }

// withoutControl replaces a character that JSON strings must escape. Between values, blanks,
// line breaks and tabs are equivalent.
func withoutControl(r rune) rune {
	switch {
	case !isControl(r):
		return r
	case r == '\t' || r == '\n' || r == '\r':
		return ' '
	default:
		return unicode.ReplacementChar
	}
}

// inner decodes a member that is an object; it is empty for any other.
func inner(member jsontext.Value) envelope {
	if member.Kind() != '{' {
		return envelope{}
	}
	e, _ := readEnvelope(member)
	return e
}

// remaining returns the number of request tokens that the account has left, or nil.
func (e envelope) remaining() *int {
	if e.Tokens.Kind() != '{' {
		return nil
	}
	var tokens struct {
		Remaining jsontext.Value `json:"remaining"`
	}
	if json.Unmarshal(e.Tokens, &tokens, tolerant) != nil {
		return nil
	}
	return count(tokens.Remaining)
}

// isText reports whether a value is a string.
func isText(v jsontext.Value) bool { return len(v) > 0 && v[0] == '"' }

// text decodes a string, with U+FFFD for invalid parts; ok is false for any other value.
func text(v jsontext.Value) (s string, ok bool) {
	if !isText(v) {
		return "", false
	}
	var short [64]byte // Most texts are short and need one allocation.
	return string(unquoted(v, short[:0])), true
}

// unquoted returns the text of a string, in its own memory, or else appended to memory.
func unquoted(v jsontext.Value, memory []byte) []byte {
	if isText(v) {
		if plain := v[1 : len(v)-1]; bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
			return plain
		}
	}
	// The decoder has read v, so that an error says only that something was replaced.
	appended, _ := jsontext.AppendUnquote(memory, v)
	return appended
}

// number decodes a number, which may be in a string.
func number(v jsontext.Value) (f float64, ok bool) {
	literal := string(v)
	if s, isText := text(v); isText {
		literal = s
	}
	if jsontext.Value(literal).Kind() != '0' {
		return 0, false
	}
	f, err := strconv.ParseFloat(literal, 64)
	return f, err == nil
}

// seconds decodes a number without its fraction; ok is false if it does not fit into an int32.
func seconds(v jsontext.Value) (n int32, ok bool) {
	if n, digits := wholeNumber(v); digits > 0 && digits == len(v) {
		return n, true
	}
	f, ok := number(v)
	f = math.Trunc(f)
	if !ok || f < math.MinInt32 || f > math.MaxInt32 {
		return 0, false
	}
	return int32(f), true
}

// count decodes a whole number that is not negative; it returns nil for any other value.
func count(v jsontext.Value) *int {
	f, ok := number(v)
	if !ok || f != math.Trunc(f) || f < 0 || f > math.MaxInt32 {
		return nil
	}
	whole := int(f)
	return &whole
}

// flag decodes a boolean, which may be in a string, or 0 or 1.
func flag(v jsontext.Value) (is, ok bool) {
	if s, isText := text(v); isText {
		v = jsontext.Value(strings.ToLower(s))
	}
	switch string(v) {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	default:
		return false, false
	}
}
