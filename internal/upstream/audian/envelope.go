package audian

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
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

// members are the members of an envelope by name.
var members = map[string]func(*envelope) *jsontext.Value{
	"id":             func(e *envelope) *jsontext.Value { return &e.ID },
	"participants":   func(e *envelope) *jsontext.Value { return &e.Participants },
	"total":          func(e *envelope) *jsontext.Value { return &e.Total },
	"active":         func(e *envelope) *jsontext.Value { return &e.Active },
	"next_start_key": func(e *envelope) *jsontext.Value { return &e.NextStartKey },
	"data":           func(e *envelope) *jsontext.Value { return &e.Data },
	"auth_token":     func(e *envelope) *jsontext.Value { return &e.AuthToken },
	"status":         func(e *envelope) *jsontext.Value { return &e.Status },
	"success":        func(e *envelope) *jsontext.Value { return &e.Success },
	"error":          func(e *envelope) *jsontext.Value { return &e.Error },
	"code":           func(e *envelope) *jsontext.Value { return &e.Code },
	"type":           func(e *envelope) *jsontext.Value { return &e.Type },
	"param":          func(e *envelope) *jsontext.Value { return &e.Param },
	"message":        func(e *envelope) *jsontext.Value { return &e.Message },
	"request_id":     func(e *envelope) *jsontext.Value { return &e.RequestID },
	"tokens":         func(e *envelope) *jsontext.Value { return &e.Tokens },
}

// tolerant accepts what must not make a list unreadable (W7): invalid UTF-8, a lone surrogate,
// and a duplicate key, of which the last counts.
var tolerant = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// readEnvelope decodes a body; ok is false if it is not a JSON object.
func readEnvelope(body []byte) (e envelope, ok bool) {
	d := jsontext.NewDecoder(bytes.NewBuffer(body), tolerant)
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
		member := members[string(unquoted(name, nil))]
		value, err := d.ReadValue()
		if err != nil {
			return envelope{}, false
		}
		if end := int(d.InputOffset()); member != nil {
			*member(&e) = body[end-len(value) : end]
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return envelope{}, false
	}
	_, err := d.ReadToken()
	return e, errors.Is(err, io.EOF)
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
